#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace penumbra::testing {

/// A clock that moves when the test says so. wall() may be stepped alone, as NTP or an operator does. Thread-bound.
class FakeClock final : public Clock {
 public:
    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallTime wall() const override { return wall_; }

    void advance(std::chrono::nanoseconds by) {
        now_ += by;
        wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    }
    void step_wall(std::chrono::milliseconds by) { wall_ += by; }

 private:
    Instant now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};
};

}  // namespace penumbra::testing
