#pragma once

#include <chrono>
#include <cstddef>

#include "base/units.hpp"

/// Limits, the agent's workers and what they keep on disk.
namespace penumbra::limits {

using namespace std::chrono_literals;

// records: one file a command, one for epoch and fences, one a shadow
inline constexpr std::size_t kCommandFileBytesMax = 4 * 1024 * 1024;  ///< a packed command, %XX, with its report
inline constexpr std::size_t kFenceFileBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kShadowFileBytesMax = 1024 * 1024;

inline constexpr auto kInventoryInterval = 10s;
inline constexpr std::size_t kSmallFileBytesMax = 4096;            ///< of the kernel's, one value in it
inline constexpr std::size_t kApparmorFileBytesMax = 1024 * 1024;  ///< a bigger one is not looked at
inline constexpr auto kSettledEffectKept = 24h;                    ///< an effect that is over is listed so long
inline constexpr auto kArmBootMax = 300s;     ///< from an arm's power-on to its service's answer; TCG needs minutes
inline constexpr auto kServingCheckMax = 1s;  ///< for one connection to be taken
inline constexpr Bytes kHostMemoryReserve{512ULL << 20U};  ///< stays free of arms
inline constexpr std::uint64_t kArmsMemoryDivisor = 2;     ///< of the host's, all arms: penumbra.slice has it, too
inline constexpr Bytes kArmMemoryOverhead{128ULL << 20U};  ///< of QEMU itself
// What a guest writes while it boots and is under load for a trial, journal, temporary files and some swap. Not the
// worst, which is the whole size of its disks and would refuse nearly everything: the watch is for that.
inline constexpr Bytes kArmDiskNeed{1ULL << 30U};
inline constexpr auto kMirrorLease = 300s;    ///< prolonged at a third of it
inline constexpr auto kObserveInterval = 5s;  ///< between looks at what is to be observed, and is
inline constexpr std::chrono::milliseconds kObserveRetryBase = 10s;  ///< before a failed observation is tried again ...
inline constexpr std::chrono::milliseconds kObserveRetryMax = 5min;  ///< ... and at most
inline constexpr auto kBackupLease = 120s;  ///< prolonged at a third of it, while the copy goes on
inline constexpr auto kCopyProgressInterval = 1s;
inline constexpr std::size_t kVmsNamedMax = 8;        ///< in one sentence; the rest are counted
inline constexpr std::size_t kUsageSamplesMax = 600;  ///< of one VM: the time a window may come late

}  // namespace penumbra::limits
