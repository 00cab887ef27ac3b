#pragma once

#include <chrono>
#include <cstddef>

#include "base/limits/base.hpp"

/// Limits, coordinator core: what the fleet's memory holds.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kHostsMax = 10'000;
inline constexpr std::size_t kCommandsOpenPerHostMax = 128;
inline constexpr std::size_t kCommandsListedMax = 1024;
inline constexpr std::size_t kTrialsListedMax = 256;
inline constexpr std::size_t kRolloutsListedMax = 256;
inline constexpr std::size_t kGenerationsListedMax = 64;
inline constexpr std::size_t kRequestsRememberedMax = 4096;
inline constexpr std::size_t kKpiWindowsPerVantageMax = 8192;
inline constexpr std::size_t kHeldSendsMax = 65'536;
inline constexpr std::size_t kNameBytesMax = 40;  ///< of a shadow, trial or rollout: room for a prefix in kIdBytesMax
inline constexpr auto kTimeToAccept = 30s;
inline constexpr auto kCommandResendInterval = 10s;
inline constexpr auto kOwnStall = 2s;  ///< between two ticks: we slept, so nobody else is blamed for silence
inline constexpr std::size_t kMassBrakeHostsMin = 10;
inline constexpr double kMassBrakeShare = 0.05;
inline constexpr auto kReconnectSpreadMin = 5s;
inline constexpr auto kReconnectSpreadPerHost = 6ms;  ///< 10,000 agents come back at 167 a second
inline constexpr auto kRefusedRetry = 60s;            ///< before a host that is not enrolled here asks again
inline constexpr unsigned kBreachesMax = 5;  ///< of the protocol, within kBreachWindow: then a host is quarantined
inline constexpr auto kBreachWindow = 60s;
inline constexpr auto kEffectSlack = 60s;  ///< a rollout's trial leases its effect for so much longer than it measures
inline constexpr auto kKpiGrace = 30s;     ///< beyond a span's length before its missing windows make a trial INVALID

}  // namespace penumbra::limits
