#pragma once

#include <chrono>
#include <cstddef>

/// Limits, netisolate.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kGuestPortsPerSandboxMax = 16;
inline constexpr std::size_t kInterfaceNameBytesMax = 15;  // IFNAMSIZ without its zero
inline constexpr std::size_t kDatapathLineBytesMax = 64 * 1024;
inline constexpr std::size_t kDatapathFlowsMax = 250'000;  // Open vSwitch's own flow-limit is 200 000
inline constexpr unsigned kDatapathNestingMax = 8;
inline constexpr std::size_t kSwitchReplyBytesMax = 64 * 1024 * 1024;
inline constexpr auto kSwitchCallDeadline = 5s;  // one question to ovsdb-server or ovs-vswitchd
inline constexpr auto kIsolationAuditInterval = 400ms;
inline constexpr auto kMirrorAuditInterval = 5s;       // nothing of ours sends there: production's switch is asked less
inline constexpr auto kIsolationSeverWithin = 1s;      // from a leak's appearance to taps that are down
inline constexpr auto kIsolationBlindMax = 10s;        // this long without an audit: taps down
inline constexpr std::size_t kProbeBatchFrames = 120;  // over 300 at once overflow Open vSwitch's socket in userspace
inline constexpr std::size_t kProbeFrameBytesMax = 64 * 1024;
inline constexpr std::size_t kProbeOrdinaryFrameBytes = 1514;
inline constexpr int kProbeListenBytes = 64 * 1024 * 1024;
inline constexpr auto kProbeBatchMax = 2s;    // for a batch to come through the bridge without isolation
inline constexpr auto kProbeSettleMax = 10s;  // until the switch has counted every frame
static_assert(kIsolationAuditInterval * 2 < kIsolationSeverWithin,
              "an audit that just missed a leak has time to run again");
static_assert(kSwitchCallDeadline < kIsolationBlindMax);
static_assert(kMirrorAuditInterval < kIsolationBlindMax);

}  // namespace penumbra::limits
