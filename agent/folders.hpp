#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace penumbra::agent {

/// Where this agent keeps things. Made once, at the start; root's alone but where QEMU has to reach.
struct Folders {
    std::filesystem::path state;     ///< "/var/lib/penumbra-agent"
    std::filesystem::path journal;   ///< effects: penumbra-revert is told of it when it is armed
    std::filesystem::path commands;  ///< what the core promised
    std::filesystem::path shadows;   ///< which shadows stand
    std::filesystem::path replicas;  ///< QEMU reads
    std::filesystem::path arms;      ///< QEMU reads and writes
    std::filesystem::path scratch;   ///< QEMU reads and writes
    std::filesystem::path backups;   ///< sockets of backup jobs: QEMU makes them
    std::filesystem::path run;       ///< "/run/penumbra"
    std::filesystem::path spaces;    ///< network namespaces
};

/// Makes what is missing below `state` and `run`, and lets the group QEMU runs in ("kvm" on Debian) into the folders it
/// works in.
[[nodiscard]] Result<Folders> make_folders(const std::filesystem::path& state, const std::filesystem::path& run,
                                           const std::filesystem::path& backups);

}  // namespace penumbra::agent
