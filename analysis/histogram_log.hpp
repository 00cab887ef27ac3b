#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis {

/// One line of an HdrHistogram log: what was measured in a stretch of time.
struct LoggedInterval {
    WallTime begin{};
    std::chrono::milliseconds length{0};
    std::string tag;  ///< without a comma; empty: none
    std::vector<model::HistogramBucket> values;
    friend bool operator==(const LoggedInterval&, const LoggedInterval&) = default;
};

/// Whether a text begins as such a log does.
[[nodiscard]] bool looks_like_hdr_log(std::string_view text) noexcept;

/// Reads the log that HdrHistogram's HistogramLogWriter writes (format 1.0 to 1.3, encoding V2), as jHiccup, wrk2 and
/// others do. Its values have no unit; its column Interval_Max has, milliseconds unless the writer was told otherwise,
/// so the ratio of both, as a power of ten, gives microseconds. Values above an hour count as an hour. Errors:
/// kInvalidArgument with file and line; kUnsupported and kDataLoss of decode_hdr likewise.
[[nodiscard]] Result<std::vector<LoggedInterval>> parse_hdr_log(std::string_view file_name, std::string_view text);

/// The log of these intervals, from 1971 on, in microseconds; "" for none. Errors: as encode_hdr.
[[nodiscard]] Result<std::string> hdr_log_of(std::span<const LoggedInterval> intervals);

}  // namespace penumbra::analysis
