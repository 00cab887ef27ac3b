#include "cli/analyze/arm_csv.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/csv_reader.hpp"
#include "analysis/histogram.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::cli {

namespace {

using analysis::CsvReader;

constexpr double kScaledMedian = 1e5;  // microseconds, at least, that the median of plain values is scaled to
constexpr double kMicrosecondsPerMillisecond = 1000;
constexpr std::string_view kResponseTimes = "response_ms";

struct Columns {
    std::size_t time = 0;
    std::size_t value = 1;
    std::optional<std::size_t> arm;
    std::optional<std::size_t> error;
    std::optional<std::size_t> phase;
};

Result<Columns> columns_of(const CsvReader& reader, std::string_view column, const ArmName* arm) {
    Columns columns{.time = reader.time_column(),
                    .arm = reader.column_of({"arm"}),
                    .error = reader.column_of({"error", "errors"}),
                    .phase = reader.column_of({"phase"})};
    const auto value = column.empty() ? reader.column_of({kResponseTimes, "value"}) : reader.column_of({column});
    if (!value && (!column.empty() || !reader.heading().empty())) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}: there is no column {}; it has {}: name one with --column", reader.file_name(),
                                column.empty() ? "response_ms or value" : fmt::format("\"{}\"", column),
                                fmt::join(reader.heading(), ", ")));
    }
    columns.value = value.value_or(1);
    if (arm == nullptr && !columns.arm) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}: one file needs a column \"arm\" with control or treated; else give two files",
                                reader.file_name()));
    }
    return columns;
}

/// Which of two words a field is; the first one is true.
Result<bool> either(const CsvReader& reader, std::size_t column, std::string_view yes, std::string_view no) {
    const std::string_view text = reader.text(column);
    if (text == yes) return true;
    if (text == no) return false;
    return reader.unexpected(column, fmt::format("{} or {}", yes, no));
}

Result<ArmRow> row_of(const CsvReader& reader, const Columns& columns, const ArmName* arm) {
    ArmRow row{.at = TRY(reader.time(columns.time)), .value = TRY(reader.number_or_missing(columns.value))};
    if (columns.arm) {
        row.arm = TRY(either(reader, *columns.arm, "control", "treated")) ? ArmName::kControl : ArmName::kTreated;
    } else {
        row.arm = *arm;
    }
    if (columns.error) row.is_error = TRY(either(reader, *columns.error, "1", "0"));
    if (columns.phase) row.is_before = TRY(either(reader, *columns.phase, "before", "after"));
    return row;
}

double scale_of(const ArmTable& table) {
    if (table.value_name == kResponseTimes) return kMicrosecondsPerMillisecond;
    std::vector<double> values;
    for (const ArmRow& row : table.rows) {
        if (row.value > 0) values.push_back(row.value);
    }
    if (values.empty()) return 1;
    const double median = analysis::statistics::median(std::move(values));
    return std::pow(10, std::ceil(std::log10(kScaledMedian / median)));
}

std::uint64_t whole(double value) {
    return static_cast<std::uint64_t>(std::llround(std::min(value, static_cast<double>(limits::kHistogramValueMax))));
}

}  // namespace

Result<ArmTable> parse_arms(std::string_view file_name, std::string_view csv, std::string_view column,
                            const ArmName* arm) {
    CsvReader reader{std::string(file_name), csv};
    const Columns columns = TRY(columns_of(reader, column, arm));
    ArmTable table{.value_name = columns.value < reader.heading().size() ? reader.heading()[columns.value] : "value",
                   .has_errors = columns.error.has_value()};
    while (TRY(reader.next())) {
        if (table.rows.size() == limits::kSampleValuesMax)
            return reader.unexpected(0, fmt::format("at most {} rows", limits::kSampleValuesMax));
        table.rows.push_back(TRY(row_of(reader, columns, arm)));
    }
    if (table.rows.empty())
        return fail(ErrorCode::kInvalidArgument, fmt::format("{}: there is no row in it", reader.file_name()));
    return table;
}

Result<ArmWindows> windows_of(const ArmTable& table, std::chrono::milliseconds length, bool align) {
    struct Cell {
        analysis::Histogram values;
        std::uint64_t rows = 0;
        std::uint64_t errors = 0;
    };
    std::array<WallTime, 2> first{WallTime::max(), WallTime::max()};
    for (const ArmRow& row : table.rows) {
        WallTime& begin = first[static_cast<std::size_t>(row.arm)];
        begin = std::min(begin, row.at);
    }
    const double scale = scale_of(table);
    std::array<std::array<std::map<std::int64_t, Cell>, 2>, 2> cells;  // before or after, arm, place
    for (const ArmRow& row : table.rows) {
        if (std::isnan(row.value) && !row.is_error) continue;
        if (row.value < 0) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("a {} of {} cannot be compared as a ratio: values must not be below 0",
                                    table.value_name, row.value));
        }
        const auto arm = static_cast<std::size_t>(row.arm);
        const auto since = align ? row.at - first[arm] : row.at.time_since_epoch();
        Cell& cell = cells[row.is_before ? 0 : 1][arm][since / length];
        ++cell.rows;
        cell.errors += row.is_error ? 1 : 0;
        if (!std::isnan(row.value)) cell.values.record(whole(row.value * scale));
    }
    ArmWindows windows;
    for (std::size_t phase = 0; phase < 2; ++phase) {
        for (std::size_t arm = 0; arm < 2; ++arm) {
            auto& list = (phase == 0 ? windows.before : windows.after)[arm];
            for (const auto& [place, cell] : cells[phase][arm]) {
                list.push_back({.sequence = list.size() + 1,
                                .begin = WallTime(length * place),
                                .length = length,
                                .requests = cell.rows,
                                .errors = cell.errors,
                                .response_time = cell.values.buckets()});
            }
        }
    }
    return windows;
}

Result<ArmWindows> windows_of(std::span<const analysis::LoggedInterval> intervals, const ArmName* arm) {
    std::vector<std::chrono::milliseconds> lengths;
    for (const analysis::LoggedInterval& interval : intervals)
        lengths.push_back(interval.length);
    std::ranges::sort(lengths);
    const std::chrono::milliseconds usual =
        lengths.empty() ? std::chrono::milliseconds(0) : lengths[lengths.size() / 2];
    if (usual.count() <= 0)
        return fail(ErrorCode::kInvalidArgument, "the intervals of the histogram log have no length");
    ArmWindows windows;
    for (const analysis::LoggedInterval& interval : intervals) {
        if (arm == nullptr && interval.tag != "control" && interval.tag != "treated") {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("an interval has the tag \"{}\": one log needs the tags control and treated; else "
                                    "give two logs",
                                    interval.tag));
        }
        const ArmName whose = arm != nullptr ? *arm : interval.tag == "control" ? ArmName::kControl : ArmName::kTreated;
        if (interval.length < usual / 2) continue;  // the last one, which was cut short
        std::uint64_t requests = 0;
        for (const model::HistogramBucket& bucket : interval.values)
            requests += bucket.count;
        auto& list = windows.after[static_cast<std::size_t>(whose)];
        list.push_back({.sequence = list.size() + 1,
                        .begin = interval.begin,
                        .length = usual,
                        .requests = requests,
                        .response_time = interval.values});
    }
    return windows;
}

std::chrono::milliseconds usual_distance(const ArmTable& table) {
    std::map<std::chrono::milliseconds, std::size_t> distances;
    std::optional<WallTime> before;
    for (const ArmRow& row : table.rows) {
        if (row.arm != ArmName::kControl) continue;
        if (before && row.at > *before) ++distances[row.at - *before];
        before = row.at;
    }
    if (distances.empty()) return std::chrono::milliseconds(0);
    return std::ranges::max_element(distances, {}, [](const auto& entry) { return entry.second; })->first;
}

std::vector<double> values_of(const ArmTable& table, ArmName arm) {
    std::vector<double> values;
    for (const ArmRow& row : table.rows) {
        if (row.arm == arm && !row.is_before) values.push_back(row.value);
    }
    return values;
}

}  // namespace penumbra::cli
