#pragma once

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/histogram_log.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"

/// What two arms measured, from CSV files (see analysis::CsvReader) and histogram logs to what a judge takes. Pure.
namespace penumbra::cli {

enum class ArmName : unsigned char { kControl, kTreated };

/// One row: a request with its response time, or one measured value.
struct ArmRow {
    WallTime at{};
    ArmName arm = ArmName::kControl;
    bool is_before = false;  ///< before the change, by a column "phase"
    double value = 0;        ///< NaN: not measured
    bool is_error = false;
};

struct ArmTable {
    std::string value_name;  ///< heading of the values' column; "response_ms" are response times of single requests
    bool has_errors = false;
    std::vector<ArmRow> rows;
};

/// Rows of a file with columns time, the value (response_ms, value, or `column`), and if they are there arm (control or
/// treated), error (0 or 1) and phase (before or after). `arm` is whose they are where there is no such column; with
/// nullptr one is needed. Errors: kInvalidArgument with file, line and column.
[[nodiscard]] Result<ArmTable> parse_arms(std::string_view file_name, std::string_view csv, std::string_view column,
                                          const ArmName* arm);

/// Windows of `length` on one grid: of control and treated before, and of both after the change.
struct ArmWindows {
    std::array<std::vector<model::KpiWindow>, 2> before;
    std::array<std::vector<model::KpiWindow>, 2> after;
};

/// Puts rows into windows; each row counts as one request. `align` moves each arm's first row to one time, for arms
/// that were measured one after the other. Values are scaled by a power of ten so that three digits of them survive as
/// whole microseconds, which a comparison of ratios does not see. Errors: kInvalidArgument for a value below 0.
[[nodiscard]] Result<ArmWindows> windows_of(const ArmTable& table, std::chrono::milliseconds length, bool align);

/// The same from an HdrHistogram log: an interval is a window, of the length most of them have. `arm` is whose it is;
/// with nullptr the intervals' tags say it. Errors: kInvalidArgument for a tag that is no arm, or no usual length.
[[nodiscard]] Result<ArmWindows> windows_of(std::span<const analysis::LoggedInterval> intervals, const ArmName* arm);

/// The most frequent distance between neighbouring rows of the control arm; 0 when there are fewer than two.
[[nodiscard]] std::chrono::milliseconds usual_distance(const ArmTable& table);

/// The values of one arm after the change, in the order of the file; NaN where not measured.
[[nodiscard]] std::vector<double> values_of(const ArmTable& table, ArmName arm);

}  // namespace penumbra::cli
