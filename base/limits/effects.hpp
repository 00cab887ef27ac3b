#pragma once

#include <chrono>
#include <cstddef>

/// Limits, effects.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr auto kLeaseMin = 5s;
inline constexpr auto kLeaseMax = 24h;
inline constexpr auto kPartitionLeaseMax = 65'535s;  ///< OpenFlow keeps hard_timeout in 16 bits
inline constexpr std::size_t kJournalEntryBytesMax = 64 * 1024;
inline constexpr std::size_t kJournalEntriesMax = 1024;
inline constexpr auto kLockWait = 20s;             ///< for another penumbra-revert, or for a killed agent to be gone
inline constexpr auto kDeadManGrace = 2s;          ///< after the lease: a living agent reverts by itself first
inline constexpr auto kDeadManAccuracy = 1s;       ///< systemd may coalesce timers within it
inline constexpr auto kDeadManRetryInterval = 2s;  ///< penumbra-revert was killed: again
inline constexpr std::chrono::milliseconds kRevertWaitMin =
    2s;  ///< penumbra-revert failed (libvirtd is down): again ...
inline constexpr std::chrono::milliseconds kRevertWaitMax = 60s;  ///< ... later and later, up to this
inline constexpr auto kRevertAttemptMax = 60s;  ///< an attempt that takes longer (libvirtd hangs) is killed
inline constexpr auto kRevertAllMax = 60s;      ///< penumbra-revert --all: the agent's start waits for it after a boot
inline constexpr auto kRevertRunMax = 1h;       ///< of one penumbra-revert with all its attempts; then the next one
inline constexpr auto kBusCallTimeout = 10s;
inline constexpr auto kUnitJobTimeout = 60s;  ///< to start or stop a unit
static_assert(kDeadManGrace + kDeadManAccuracy < kLeaseMin, "the host undoes an orphan within the shortest lease");

}  // namespace penumbra::limits
