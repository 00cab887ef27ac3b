#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "effects/dead_man.hpp"
#include "journal/fake/crash_points.hpp"

namespace penumbra::effects::fake {

/// PID 1's timers in memory: outlives the "process" that is cut, fires when the test's clock has passed. Thread-bound.
class FakeDeadMan final : public DeadMan {
 public:
    FakeDeadMan(const Clock& clock, journal::fake::CrashPoints& points) : clock_(clock), points_(points) {}

    [[nodiscard]] Result<void> arm(const EffectId& effect, std::uint32_t arming,
                                   std::chrono::nanoseconds after) override {
        points_.reach("before arming");
        if (refuses_) return fail(ErrorCode::kUnavailable, "systemd does not answer");
        const bool added = armed_.try_emplace({effect, arming}, clock_.now() + after).second;
        points_.reach("after arming");
        if (!added) return fail(ErrorCode::kAlreadyExists, fmt::format("{} is armed already", effect.text()));
        return {};
    }
    [[nodiscard]] Result<void> disarm(const EffectId& effect, std::uint32_t arming) override {
        points_.reach("before disarming");
        armed_.erase({effect, arming});
        points_.reach("after disarming");
        return {};
    }

    /// The effects whose time has come; each is given once.
    [[nodiscard]] std::vector<EffectId> fire_due() {
        std::vector<EffectId> due;
        for (const auto& [key, when] : armed_)
            if (when <= clock_.now()) due.push_back(key.first);
        std::erase_if(armed_, [&](const auto& item) { return item.second <= clock_.now(); });
        return due;
    }
    void reboot() { armed_.clear(); }
    void refuse() { refuses_ = true; }
    [[nodiscard]] std::size_t armed() const noexcept { return armed_.size(); }

 private:
    const Clock& clock_;
    journal::fake::CrashPoints& points_;
    std::map<std::pair<EffectId, std::uint32_t>, Instant> armed_;
    bool refuses_ = false;
};

}  // namespace penumbra::effects::fake
