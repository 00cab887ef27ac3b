#pragma once

#include <chrono>
#include <cstddef>

#include "base/limits/local.hpp"

/// Limits, the sockets of fleet link and local requests (proto/zmq, proto/local).
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr int kLinkQueueMax = 64;  ///< messages a peer, each way, in libzmq
inline constexpr std::size_t kLinkDrainMax = 256;
inline constexpr auto kHandshakeTime = 15s;
inline constexpr unsigned kGateStandsMax = 10;  ///< seconds without a turn of ZAP's thread
inline constexpr std::size_t kEnrolBytesMax = 4096;
inline constexpr std::size_t kEnrolAsksMax = 64;  ///< that wait for the coordinator at a time
inline constexpr auto kEnrolRetry = 3s;
inline constexpr auto kEnrolDeadline = 30s;  ///< in all, of a host that asks

// local socket
inline constexpr std::size_t kApiRequestBytesMax = kHistoryCsvBytesMax + 64 * 1024;
inline constexpr std::size_t kLocalConnectionsMax = 32;
inline constexpr std::size_t kLocalConnectionsPerUserMax = 8;
inline constexpr std::size_t kLocalUsersRemembered = 256;
inline constexpr auto kLocalRequestTime = 10s;
inline constexpr auto kLocalAnswerTime = 60s;
inline constexpr auto kLocalReplyTime = 30s;
inline constexpr auto kLocalAcceptRetry = 100ms;

}  // namespace penumbra::limits
