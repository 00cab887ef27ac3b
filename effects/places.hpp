#pragma once

#include <filesystem>

/// Where agent and penumbra-revert meet: each must find what the other left, also across an upgrade.
namespace penumbra::effects::places {

/// Sockets of backup jobs, EFFECT.sock; QEMU makes them, so its user may write here (tmpfiles.d).
inline constexpr const char* kBackups = "/run/penumbra/backup";
inline constexpr const char* kLibvirt = "qemu:///system";
/// The installed penumbra-revert.
[[nodiscard]] std::filesystem::path revert_program();

}  // namespace penumbra::effects::places
