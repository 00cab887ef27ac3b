#pragma once

#include <filesystem>

#include "base/result.hpp"

/// Where agent and penumbra-revert meet: each must find what the other left, also across an upgrade.
namespace penumbra::effects::places {

/// Sockets of backup jobs, EFFECT.sock; QEMU makes them, so its user may write here (tmpfiles.d).
inline constexpr const char* kBackups = "/run/penumbra/backup";
inline constexpr const char* kLibvirt = "qemu:///system";
/// The installed penumbra-revert.
[[nodiscard]] std::filesystem::path revert_program();
/// Whether a dead-man could run it: kUnavailable where it is missing or not executable.
[[nodiscard]] Result<void> check_reverter(const std::filesystem::path& program);

}  // namespace penumbra::effects::places
