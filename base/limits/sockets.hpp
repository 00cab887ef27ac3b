#pragma once

#include <chrono>
#include <cstddef>

/// Limits, the sockets of fleet link and local requests (proto/zmq, proto/local).
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr int kLinkQueueMax = 64;  ///< messages a peer, each way, in libzmq
inline constexpr std::size_t kLinkDrainMax = 256;
inline constexpr auto kHandshakeTime = 15s;
inline constexpr unsigned kGateStandsMax = 10;  ///< seconds without a turn of ZAP's thread
inline constexpr std::size_t kEnrolBytesMax = 4096;

}  // namespace penumbra::limits
