#pragma once

#include <chrono>
#include <cstddef>

/// Limits, what people write in files (proto/spec).
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kTomlLineBytesMax = 4096;
inline constexpr std::size_t kTomlDepthMax = 8;
inline constexpr auto kTrialPhaseMax = 24h;
inline constexpr auto kForecastAimMax = 24h * 7;
inline constexpr auto kTrialLeaseSpare = 60s;  ///< beyond what a trial measures, to apply, to look and to take back

}  // namespace penumbra::limits
