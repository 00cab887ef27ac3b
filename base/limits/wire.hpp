#pragma once

#include <chrono>
#include <cstddef>

/// Limits, wire: what a message may hold, checked before memory is taken for it (proto/codec).
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr int kWireDepthMax = 16;
inline constexpr std::size_t kTextBytesMax = 4096;
inline constexpr std::size_t kHashTextBytesMax = 128;
inline constexpr auto kWireDurationMax = 24h * 3650;
inline constexpr std::size_t kVmsPerHostMax = 1024;
inline constexpr std::size_t kDisksPerVmMax = 64;
inline constexpr std::size_t kNicsPerVmMax = 64;
inline constexpr std::size_t kReasonsMax = 64;
inline constexpr std::size_t kArmsPerShadowMax = 8;
inline constexpr std::size_t kTuningsMax = 64;
inline constexpr std::size_t kReportsPerHelloMax = 256;
inline constexpr std::size_t kEffectsPerReportMax = 256;
inline constexpr std::size_t kShadowsPerReportMax = 64;
inline constexpr std::size_t kKpiAcksMax = 256;
inline constexpr std::size_t kKpisPerVerdictMax = 64;
inline constexpr std::size_t kHistogramBucketsMax = 4096;
inline constexpr std::size_t kLoadStepsMax = 64;
inline constexpr std::size_t kWavesMax = 64;
inline constexpr std::size_t kRolloutTargetsMax = 1024;
inline constexpr std::size_t kQuantilesMax = 32;
inline constexpr double kReplayRateMultipleMax = 1000;
inline constexpr std::size_t kInterfacesListenedMax = 256;  ///< by one isolation probe

}  // namespace penumbra::limits
