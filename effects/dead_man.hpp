#pragma once

#include <chrono>
#include <cstdint>

#include "base/ids.hpp"
#include "base/result.hpp"

namespace penumbra::effects {

/// Port: who undoes an effect when nobody of us lives: runs penumbra-revert for it once `after` has passed. Survives
/// this process; does not survive a reboot (penumbra-revert-boot.service, and recovery at the agent's start, do that).
/// Blocks; thread-bound.
class DeadMan {
 public:
    DeadMan() = default;
    DeadMan(const DeadMan&) = delete;
    DeadMan& operator=(const DeadMan&) = delete;
    DeadMan(DeadMan&&) = delete;
    DeadMan& operator=(DeadMan&&) = delete;
    virtual ~DeadMan() = default;

    /// `arming` tells the armings of one effect apart. The same one armed again is kAlreadyExists.
    [[nodiscard]] virtual Result<void> arm(const EffectId& effect, std::uint32_t arming,
                                           std::chrono::nanoseconds after) = 0;
    /// One that is not armed is a success.
    [[nodiscard]] virtual Result<void> disarm(const EffectId& effect, std::uint32_t arming) = 0;
};

}  // namespace penumbra::effects
