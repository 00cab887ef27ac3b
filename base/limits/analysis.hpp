#pragma once

#include <cstddef>
#include <cstdint>

/// Limits, analysis.
namespace penumbra::limits {

inline constexpr std::uint64_t kHistogramValueMax = 3'600'000'000;  ///< one hour in microseconds
inline constexpr std::size_t kHdrBytesMax = 4 * 1024 * 1024;        ///< of one foreign histogram, inflated
inline constexpr std::size_t kHdrIntervalsMax = 200'000;            ///< lines of one foreign histogram log
inline constexpr std::size_t kSampleValuesMax = 4'000'000;          ///< longest series a statistic takes
inline constexpr std::size_t kBlocksMax = 200;                      ///< blocks a series is cut into before a rank test
inline constexpr std::size_t kAutocorrelationLagMax = 512;
inline constexpr std::size_t kPairsMax = 4'000'000;  ///< Walsh averages or pairwise differences held at once
inline constexpr double kMoreDataFactorMax = 20;     ///< times the data at hand beyond which "run longer" is no advice
inline constexpr std::size_t kForecastHistoryMax = 200'000;  ///< points of one series a model is fitted to
inline constexpr std::size_t kForecastHorizonMax = 4096;     ///< steps ahead
inline constexpr std::size_t kOffsetChangesMax = 1000;       ///< of one time zone
inline constexpr std::size_t kSpecialDaysMax = 2000;         ///< holidays and events of one series
inline constexpr std::size_t kJointSeriesMax = 1000;         ///< series of one sum
inline constexpr double kScaleBeyondMax = 4;  ///< times the largest measured size beyond which an anchor is needed
inline constexpr std::size_t kHindcastsKept = 200;       ///< newest past predictions whose errors make an interval
inline constexpr std::size_t kArrivalsMax = 50'000'000;  ///< requests of one planned load step
inline constexpr std::size_t kPlanSizesMax = 64;         ///< sizes of an instance a scaling plan chooses from
inline constexpr unsigned kPlanHostsMax = 256;           ///< hosts of one scaling plan
inline constexpr unsigned kPlanInstancesMax = 1000;      ///< instances of one
inline constexpr unsigned kServersMax = 4096;            ///< parallel servers of a queueing model
inline constexpr std::size_t kQueuePointsMax = 1000;     ///< load steps it is fitted to

}  // namespace penumbra::limits
