#pragma once

#include <chrono>
#include <cstddef>

#include "base/limits/link.hpp"
#include "base/limits/wire.hpp"

/// Limits, agent core: what one host remembers.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kCommandsRememberedPerAgentMax = 64;  ///< running, and final without acknowledgement
inline constexpr std::size_t kFencesPerAgentMax = 4096;
inline constexpr std::size_t kKpiWindowsUnackedMax = 16'384;
inline constexpr std::size_t kKpiWindowsPerReportMax = 32;
inline constexpr std::size_t kKpiVantagesMax = 256;  ///< beyond, those with nothing to send are forgotten
inline constexpr std::size_t kTroublesMax = 16;
inline constexpr auto kHelloRetryBase = 1s;
inline constexpr auto kHelloRetryMax = 60s;
inline constexpr auto kFirstSpread = 5s;  ///< a fresh agent's wait before its first Hello is a uniform share of it
static_assert(kCommandsInFlightPerAgentMax < kCommandsRememberedPerAgentMax,
              "a credit's worth can always be remembered");
static_assert(kTroublesMax <= kReasonsMax && kCommandsRememberedPerAgentMax <= kReportsPerHelloMax,
              "what an agent holds can be sent");

}  // namespace penumbra::limits
