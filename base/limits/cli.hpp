#pragma once

#include <chrono>
#include <cstddef>

/// Limits, the program `penumbra`.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr auto kAskDeadline = 90s;  ///< longer than the coordinator lets a request wait for its answer
inline constexpr std::chrono::milliseconds kLookInterval = 1s;
inline constexpr auto kProgressLineInterval = 10s;  ///< between lines that differ in their numbers, not on a terminal
inline constexpr std::chrono::milliseconds kCoordinatorAwayMax = 10min;
inline constexpr std::size_t kAnalyzeCsvBytesMax = 256 * 1024 * 1024;
inline constexpr unsigned kDrawingMode = 0644;  ///< of a picture that was asked for
inline constexpr std::size_t kReportWindowsMax = 200'000;
inline constexpr std::size_t kReportEventsMax = 100'000;
inline constexpr auto kReportLead = 20min;  ///< shown before the first trial or rollout: the cloning

inline constexpr auto kReportCloningMargin = 60s;     ///< shown and counted before and after a cloning
inline constexpr auto kReportCloningPause = 2min;     ///< a longer one ends a cloning
inline constexpr std::size_t kReportCloningsMax = 4;  ///< the latest have a picture

}  // namespace penumbra::limits
