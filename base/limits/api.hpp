#pragma once

#include <chrono>

/// Limits, what people ask the coordinator for.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr auto kTickInterval = 1s;  ///< of the core
inline constexpr auto kTokenLife = 10min;
inline constexpr auto kPresentSought = 10min;  ///< back from now by our clock, for the windows that say what is now

}  // namespace penumbra::limits
