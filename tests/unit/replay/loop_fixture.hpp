#pragma once

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "base/event_loop.hpp"

namespace penumbra::replay::testing {

/// A loop that runs until something is so, or a deadline says that it will not be.
class LoopFixture : public ::testing::Test {
 protected:
    void run_until(const std::function<bool()>& condition, std::chrono::seconds deadline = std::chrono::seconds(20)) {
        const Instant late = BootClock::now() + deadline;
        while (!condition()) {
            ASSERT_LT(BootClock::now(), late) << "the deadline passed";
            ASSERT_TRUE(loop_->turn(std::chrono::milliseconds(20)).has_value());
        }
    }
    std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
};

}  // namespace penumbra::replay::testing
