#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/limits/coordinator.hpp"

/// Limits, coordinator's store: what is kept, oldest out first.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kEventsKeptMax = 100'000;
inline constexpr std::size_t kFinalCommandsKeptMax = 100'000;
inline constexpr std::size_t kKpiWindowsKeptMax = 100'000;  ///< of one vantage: a day of seconds
inline constexpr std::uint64_t kStoreBytesMax = 16ULL << 30U;
inline constexpr auto kHistoryBin = 5min;
inline constexpr std::size_t kStoreJobsMax = 4096;        ///< waiting for the disk
inline constexpr std::size_t kBatchesPerCommitMax = 256;  ///< durable by one fsync
inline constexpr auto kStoreRetryInterval = 1s;           ///< after a full disk
static_assert(kKpiWindowsKeptMax >= kKpiWindowsPerVantageMax && kFinalCommandsKeptMax >= kCommandsListedMax,
              "what a starting coordinator reads back is kept");

}  // namespace penumbra::limits
