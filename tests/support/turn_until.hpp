#pragma once

#include <chrono>
#include <functional>

#include "base/clock.hpp"
#include "base/event_loop.hpp"

namespace penumbra::testing {

/// Turns the loop until `holds`, at most for `deadline`; false when it never held.
inline bool turn_until(EventLoop& loop, const std::function<bool()>& holds,
                       std::chrono::milliseconds deadline = std::chrono::seconds(10)) {
    const Instant end = BootClock::now() + deadline;
    while (!holds()) {
        if (BootClock::now() > end || !loop.turn(std::chrono::milliseconds(20)).has_value()) return false;
    }
    return true;
}

}  // namespace penumbra::testing
