#pragma once

#include <chrono>
#include <cstddef>

/// Limits, what people ask the coordinator for.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr auto kTickInterval = 1s;  ///< of the core
inline constexpr auto kTokenLife = 10min;
inline constexpr std::size_t kHolidaysBytesMax = 1024 * 1024;
inline constexpr auto kServiceClockPast = std::chrono::days(3653);     ///< how far from the coordinator's start its ...
inline constexpr auto kServiceClockFuture = std::chrono::days(18263);  ///< ... clock's daylight saving is known
inline constexpr auto kPresentSought = 10min;  ///< back from now by our clock, for the windows that say what is now

}  // namespace penumbra::limits
