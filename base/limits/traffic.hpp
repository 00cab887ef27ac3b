#pragma once

#include <chrono>
#include <cstddef>

/// Limits, traffic: capture, replay.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kOutOfOrderBytesMax = 256 * 1024;  ///< of one direction of a connection
inline constexpr std::size_t kOutOfOrderSegmentsMax = 512;
inline constexpr std::size_t kConnectionsMax = 16 * 1024;   ///< at one vantage; one more evicts the longest idle
inline constexpr std::size_t kClosedConnectionsMax = 1024;  ///< remembered, so that their echoes open nothing
inline constexpr std::size_t kHttpHeadBytesMax = 64 * 1024;
inline constexpr std::size_t kHttpLineBytesMax = 4096;  ///< a chunk's size line, a trailer
inline constexpr std::size_t kPipelinedRequestsMax = 64;
inline constexpr std::size_t kExchangeRequestBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kExchangeRecordBytesMax = kExchangeRequestBytesMax + 256;
static_assert(kHttpHeadBytesMax < kExchangeRequestBytesMax, "a head fits into a request");
inline constexpr auto kConnectionIdleMax = 10min;
inline constexpr std::size_t kRingBlockBytes = 1024 * 1024;
inline constexpr std::size_t kRingBlocks = 32;
inline constexpr std::size_t kRingBlocksPerTurn = 8;
inline constexpr auto kKpiWindow = 1s;
inline constexpr auto kKpiSettle = 250ms;  ///< what the ring still holds when a window ends
inline constexpr std::size_t kKpiWindowsUnacknowledgedMax = 3600;
inline constexpr std::size_t kKpiReportBytesMax = 256 * 1024;
inline constexpr std::size_t kReplayConnectionsMax = 8 * 1024;  ///< of one arm
inline constexpr std::size_t kReplayQueuedBytesMax = 64 * 1024 * 1024;
inline constexpr auto kReplayConnectMax = 3s;
inline constexpr auto kReplayAnswerMax = 10s;
inline constexpr double kRateMultipleMax = 16;
inline constexpr std::size_t kEgressTargetsMax = 256;  ///< told apart; the rest is counted as one

}  // namespace penumbra::limits
