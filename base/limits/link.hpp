#pragma once

#include <chrono>
#include <cstddef>

/// Limits, fleet link: heartbeats, contact, commands.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr auto kHeartbeatInterval = 5s;
inline constexpr unsigned kHeartbeatsMissedSuspect = 3;
inline constexpr auto kContactUnreachable = 30s;
inline constexpr std::size_t kEnvelopeBytesMax = 256 * 1024;
inline constexpr std::size_t kCommandsInFlightPerAgentMax = 8;
static_assert(kHeartbeatInterval * kHeartbeatsMissedSuspect < kContactUnreachable,
              "an agent is suspect before it is unreachable");

}  // namespace penumbra::limits
