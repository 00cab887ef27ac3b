#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of the system, in one place. A queue, retry, message or wait without a name here is a defect.
namespace penumbra::limits {

using namespace std::chrono_literals;

// base
inline constexpr std::size_t kIdBytesMax = 64;
inline constexpr std::size_t kChannelItemsMax = 1024;
inline constexpr std::size_t kPostedCallsMax = 4096;
inline constexpr std::size_t kLogFieldsMax = 24;

// fleet link: heartbeats, contact, commands
inline constexpr auto kHeartbeatInterval = 5s;
inline constexpr unsigned kHeartbeatsMissedSuspect = 3;
inline constexpr auto kContactUnreachable = 30s;
inline constexpr std::size_t kEnvelopeBytesMax = 256 * 1024;
inline constexpr std::size_t kCommandsInFlightPerAgentMax = 8;
static_assert(kHeartbeatInterval * kHeartbeatsMissedSuspect < kContactUnreachable,
              "an agent is suspect before it is unreachable");

// effects
inline constexpr auto kLeaseMin = 5s;
inline constexpr auto kLeaseMax = 24h;

}  // namespace penumbra::limits
