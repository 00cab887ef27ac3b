#include "base/clock.hpp"

#include <chrono>

#include <time.h>

#include "base/result.hpp"

namespace penumbra {

Instant BootClock::now() noexcept {
    timespec time{};
    ASSERT(clock_gettime(CLOCK_BOOTTIME, &time) == 0);
    return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

WallTime SystemClock::wall() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace penumbra
