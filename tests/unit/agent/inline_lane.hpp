#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "agent/lane.hpp"
#include "base/clock.hpp"

namespace penumbra::agent {

/// All lanes in the test's own thread: work is done where it is posted, timers when the test's clock has passed them.
class InlineLane final : public Lane {
 public:
    explicit InlineLane(EventLoop& loop) : loop_(loop) {}

    [[nodiscard]] bool post(std::function<void()> work) override {
        if (ended_) return false;
        work();
        return true;
    }
    void every(std::chrono::nanoseconds interval, std::function<void()> work) override {
        timers_.push_back({.interval = interval, .left = interval, .work = std::move(work)});
    }
    [[nodiscard]] EventLoop& loop() noexcept override { return loop_; }

    void pass(std::chrono::nanoseconds time) {
        for (Timer& timer : timers_) {
            timer.left -= time;
            if (timer.left > std::chrono::nanoseconds(0)) continue;
            timer.left = timer.interval;
            timer.work();
        }
    }
    void end() { ended_ = true; }

 private:
    struct Timer {
        std::chrono::nanoseconds interval{};
        std::chrono::nanoseconds left{};
        std::function<void()> work;
    };
    EventLoop& loop_;
    std::vector<Timer> timers_;
    bool ended_ = false;
};

}  // namespace penumbra::agent
