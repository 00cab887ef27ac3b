#include "analysis/histogram_log.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "analysis/histogram.hpp"
#include "analysis/histogram_codec.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis {

namespace {

constexpr std::string_view kVersion = "#[Histogram log format version ";
constexpr std::string_view kStart = "#[StartTime: ";
constexpr std::string_view kBase = "#[BaseTime: ";
constexpr std::string_view kTag = "Tag=";
constexpr double kYear = 365.0 * 24 * 3600;
constexpr double kSecondsMax = 1e11;
constexpr double kMicrosecondsPerMillisecond = 1000;
constexpr double kUsualRatio = 1e6;  ///< values in nanoseconds, the maximum in milliseconds

std::optional<double> number_in(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= kSecondsMax))
        return std::nullopt;
    return value;
}

std::string_view cut(std::string_view& text, char at) {
    const std::size_t end = text.find(at);
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

std::chrono::milliseconds from_seconds(double seconds) {
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

struct Line {
    double begin_s = 0;
    double length_s = 0;
    double max_ms = 0;
    std::string tag;
    std::vector<HdrCell> cells;
};

Result<Line> line_of(std::string_view text) {
    Line line;
    if (text.starts_with(kTag)) line.tag = cut(text, ',').substr(kTag.size());
    const auto begin = number_in(cut(text, ','));
    const auto length = number_in(cut(text, ','));
    const auto most = number_in(cut(text, ','));
    if (!begin || !length || !most || text.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "expected [Tag=NAME,]START,LENGTH,MAXIMUM,HISTOGRAM with three numbers and base64");
    }
    line.begin_s = *begin;
    line.length_s = *length;
    line.max_ms = *most;
    line.cells = TRY(decode_hdr(text));
    return line;
}

/// Units of a value in one of the maximum's, as the longest of all intervals shows it best.
double ratio_of(const std::vector<Line>& lines) {
    const Line* longest = nullptr;
    for (const Line& line : lines) {
        if (!line.cells.empty() && line.max_ms > 0 && (longest == nullptr || line.max_ms > longest->max_ms))
            longest = &line;
    }
    if (longest == nullptr) return kUsualRatio;
    return std::pow(10, std::round(std::log10(static_cast<double>(longest->cells.back().highest) / longest->max_ms)));
}

/// In microseconds, on our own cells. Counts that overflow together are cut off at what a histogram holds.
std::vector<model::HistogramBucket> in_microseconds(const std::vector<HdrCell>& cells, double ratio) {
    Histogram values;
    std::uint64_t room = UINT64_MAX;
    for (const HdrCell& cell : cells) {
        const double us = static_cast<double>(cell.middle) * kMicrosecondsPerMillisecond / ratio;
        const std::uint64_t count = std::min(cell.count, room);
        room -= count;
        values.record(
            static_cast<std::uint64_t>(std::llround(std::min(us, static_cast<double>(limits::kHistogramValueMax)))),
            count);
    }
    return values.buckets();
}

}  // namespace

bool looks_like_hdr_log(std::string_view text) noexcept {
    return text.starts_with("#[") || text.starts_with("\"StartTimestamp\"");
}

Result<std::vector<LoggedInterval>> parse_hdr_log(std::string_view file_name, std::string_view text) {
    std::optional<double> start_s;
    std::optional<double> base_s;
    std::vector<Line> lines;
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::string_view row = cut(text, '\n');
        if (row.ends_with('\r')) row.remove_suffix(1);
        if (row.empty() || row.front() == '"') continue;
        for (const auto& [name, into] : {std::pair{kStart, &start_s}, std::pair{kBase, &base_s}}) {
            if (row.starts_with(name)) {
                std::string_view rest = row.substr(name.size());
                *into = number_in(cut(rest, ' '));
            }
        }
        if (row.front() == '#') continue;
        Result<Line> line = line_of(row);
        if (!line) return fail_in(fmt::format("{}:{}", file_name, number), std::move(line.error()));
        if (lines.size() == limits::kHdrIntervalsMax) {
            return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}: at most {} intervals can be read", file_name,
                                                                 number, limits::kHdrIntervalsMax));
        }
        lines.push_back(std::move(*line));
    }
    if (lines.empty())
        return fail(ErrorCode::kInvalidArgument, fmt::format("{}: there is no interval in it", file_name));
    // as the Java reader has it: times long before the start count from it
    const double start = start_s.value_or(lines.front().begin_s);
    const double base = base_s.value_or(lines.front().begin_s < start - kYear ? start : 0);
    const double ratio = ratio_of(lines);
    std::vector<LoggedInterval> intervals;
    for (const Line& line : lines) {
        intervals.push_back({.begin = WallTime(from_seconds(base + line.begin_s)),
                             .length = from_seconds(line.length_s),
                             .tag = line.tag,
                             .values = in_microseconds(line.cells, ratio)});
    }
    return intervals;
}

Result<std::string> hdr_log_of(std::span<const LoggedInterval> intervals) {
    if (intervals.empty()) return std::string();
    const WallTime start = std::ranges::min_element(intervals, {}, &LoggedInterval::begin)->begin;
    const auto start_ms = start.time_since_epoch().count();
    const auto seconds = static_cast<std::time_t>(start_ms / 1000);
    std::string text = fmt::format(
        "{}1.3]\n{}{}.{:03} (seconds since epoch), {:%a %b %d %H:%M:%S} UTC {:%Y}]\n"
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        kVersion, kStart, start_ms / 1000, start_ms % 1000, fmt::gmtime(seconds), fmt::gmtime(seconds));
    const HdrLayout layout(3, 1);
    for (const LoggedInterval& interval : intervals) {
        std::uint64_t most = 0;
        for (const auto& bucket : interval.values)
            most = std::max(most, bucket.value_us);
        const double max_ms = most == 0 ? 0 : static_cast<double>(layout.highest_of(layout.index_of(most))) / 1000;
        if (!interval.tag.empty()) text += fmt::format("{}{},", kTag, interval.tag);
        text += fmt::format("{:.3f},{:.3f},{:.3f},{}\n", std::chrono::duration<double>(interval.begin - start).count(),
                            std::chrono::duration<double>(interval.length).count(), max_ms,
                            TRY(encode_hdr(interval.values)));
    }
    return text;
}

}  // namespace penumbra::analysis
