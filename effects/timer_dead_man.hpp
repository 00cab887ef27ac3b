#pragma once

#include <filesystem>
#include <string>

#include "effects/dead_man.hpp"
#include "systemd/unit_control.hpp"

namespace penumbra::effects {

/// Dead-men in PID 1: a transient timer an arming, `penumbra-revert-EFFECT-ARMING.timer`. A reverter that fails
/// (libvirtd is down) is started again until it succeeds. Where the reverter cannot be run nothing is armed, so no
/// effect is made.
class TimerDeadMan final : public DeadMan {
 public:
    /// `journal`: the folder that the effects are written down in.
    TimerDeadMan(systemd::UnitControl& units, std::filesystem::path revert_binary, std::filesystem::path journal)
        : units_(units), revert_binary_(std::move(revert_binary)), journal_(std::move(journal)) {}

    [[nodiscard]] Result<void> arm(const EffectId& effect, std::uint32_t arming,
                                   std::chrono::nanoseconds after) override;
    [[nodiscard]] Result<void> disarm(const EffectId& effect, std::uint32_t arming) override;

 private:
    systemd::UnitControl& units_;
    std::filesystem::path revert_binary_;
    std::filesystem::path journal_;
};

}  // namespace penumbra::effects
