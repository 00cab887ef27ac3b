#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "hypervisor/replica_target.hpp"

namespace penumbra::hypervisor {

/// What arms of a VM stood on at one moment.
struct StoodOn {
    std::set<std::uint64_t> generations;
    std::uint64_t newest = 0;  ///< at that moment or before: an arm made since stands on this one or a later one
};

/// Which generations nobody needs: those that no arm may stand on by now, and on which neither the newest nor one that
/// arms may stand on lies, directly or not, with all its volumes. Highest first, so that each can be removed in its
/// turn. Nothing while one that is stood on cannot be used: what lies below it is not known. Pure.
[[nodiscard]] std::vector<std::uint64_t> superfluous_generations(const std::vector<ReplicaManifest>& generations,
                                                                 const StoodOn& stood_on);

}  // namespace penumbra::hypervisor
