#include "coordinator/anticipation/history_csv.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "base/limits/analysis.hpp"

namespace penumbra::coordinator {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<double> finite_in(std::string_view text) {
    const std::optional<double> value = number_in<double>(text);
    return value.has_value() && std::isfinite(*value) ? value : std::nullopt;
}

// "2026-11-24T09:30", with seconds or without, 'T' or a space between; UTC, so a 'Z' or nothing at its end.
std::optional<WallTime> calendar_time(std::string_view text) {
    if (text.ends_with('Z')) text.remove_suffix(1);
    if (text.size() != 16 && text.size() != 19) return std::nullopt;
    const auto part = [&](std::size_t at, std::size_t length) { return number_in<unsigned>(text.substr(at, length)); };
    const auto year = part(0, 4);
    const auto month = part(5, 2);
    const auto day = part(8, 2);
    const auto hour = part(11, 2);
    const auto minute = part(14, 2);
    const auto second = text.size() == 19 ? part(17, 2) : 0U;
    const bool marks = text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == ' ') && text[13] == ':' &&
                       (text.size() == 16 || text[16] == ':');
    if (!marks || !year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

std::optional<WallTime> time_in(std::string_view text) {
    if (const auto seconds = finite_in(text)) {
        if (*seconds < 0 || *seconds > 1e11) return std::nullopt;
        return WallTime(std::chrono::milliseconds(std::llround(*seconds * 1000)));
    }
    return calendar_time(text);
}

}  // namespace

Result<std::vector<MetricPoint>> parse_history(std::string_view file_name, std::string_view csv) {
    std::vector<MetricPoint> points;
    bool may_be_heading = true;
    for (std::size_t line_number = 1; !csv.empty(); ++line_number) {
        const std::size_t end = csv.find('\n');
        const std::string_view line = trimmed(csv.substr(0, end));
        csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
        if (line.empty() || line.front() == '#') continue;
        const std::size_t comma = line.find(',');
        const auto at = time_in(trimmed(line.substr(0, comma)));
        const auto value = comma == std::string_view::npos ? std::nullopt : finite_in(trimmed(line.substr(comma + 1)));
        const bool is_heading = may_be_heading && !at.has_value() && !value.has_value();
        may_be_heading = false;
        if (is_heading) continue;
        if (!at.has_value() || !value.has_value()) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}:{}: expected TIME,VALUE with a time such as 2026-11-24T09:30:00Z or seconds "
                                    "since 1970, and a number",
                                    file_name, line_number));
        }
        if (points.size() == limits::kForecastHistoryMax) {
            return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}: at most {} points can be imported", file_name,
                                                                 line_number, limits::kForecastHistoryMax));
        }
        points.push_back({*at, *value});
    }
    if (points.empty()) return fail(ErrorCode::kInvalidArgument, fmt::format("{}: there is no point in it", file_name));
    return points;
}

}  // namespace penumbra::coordinator
