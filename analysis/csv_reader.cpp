#include "analysis/csv_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace penumbra::analysis {

namespace {

constexpr double kSecondsMax = 1e11;
constexpr std::size_t kShownMax = 40;

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return result;
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

// Seconds and their fraction, "17" or "17.250".
std::optional<std::chrono::milliseconds> seconds_in(std::string_view text) {
    const auto whole = number_in<unsigned>(text.substr(0, 2));
    if (!whole || *whole > 59) return std::nullopt;
    if (text.size() == 2) return std::chrono::seconds(*whole);
    const auto value = text[2] == '.' && text.size() > 3 ? finite_in(text) : std::nullopt;
    if (!value) return std::nullopt;
    return std::chrono::milliseconds(std::llround(*value * 1000));
}

std::optional<WallTime> calendar_time(std::string_view text) {
    if (text.ends_with('Z')) text.remove_suffix(1);
    const bool is_date = text.size() == 10;
    if (!is_date && (text.size() < 16 || text.size() == 17 || text.size() == 18)) return std::nullopt;
    const auto part = [&](std::size_t at, std::size_t length) { return number_in<unsigned>(text.substr(at, length)); };
    const auto year = part(0, 4);
    const auto month = part(5, 2);
    const auto day = part(8, 2);
    const auto hour = is_date ? 0U : part(11, 2);
    const auto minute = is_date ? 0U : part(14, 2);
    const auto second = text.size() > 16 ? seconds_in(text.substr(17)) : std::chrono::milliseconds(0);
    const bool marks = text[4] == '-' && text[7] == '-' &&
                       (is_date || ((text[10] == 'T' || text[10] == ' ') && text[13] == ':' &&
                                    (text.size() == 16 || text[16] == ':')));
    if (!marks || !year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    if (!date.ok() || *hour > 23 || *minute > 59) return std::nullopt;
    return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + *second;
}

std::optional<WallTime> time_in(std::string_view text) {
    if (const auto seconds = finite_in(text)) {
        if (*seconds < 0 || *seconds > kSecondsMax) return std::nullopt;
        return WallTime(std::chrono::milliseconds(std::llround(*seconds * 1000)));
    }
    return calendar_time(text);
}

}  // namespace

CsvReader::CsvReader(std::string file_name, std::string_view text) : file_name_(std::move(file_name)), rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);  // a byte order mark, as spreadsheets write it
    Result<bool> first = read_row();
    if (!first) {
        broken_ = std::move(first.error());
        return;
    }
    is_waiting_ = *first;
    const auto says_something = [](const Cell& cell) { return finite_in(cell.text) || time_in(cell.text); };
    if (!*first || std::ranges::any_of(cells_, says_something)) return;
    for (const Cell& cell : cells_)
        heading_.push_back(lower(cell.text));
    is_waiting_ = false;
}

Result<bool> CsvReader::next() {
    if (broken_) return tl::unexpected(*broken_);
    if (std::exchange(is_waiting_, false)) return true;
    return read_row();
}

Result<bool> CsvReader::read_row() {
    while (!rest_.empty()) {
        const std::size_t end = rest_.find('\n');
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++line_;
        if (trimmed(line).empty() || trimmed(line).front() == '#') continue;
        line_length_ = line.size();
        cells_.clear();
        for (std::size_t at = 0; at <= line.size();) {
            const std::size_t begin = std::min(line.find_first_not_of(" \t", at), line.size());
            std::size_t comma = line.find(',', at);
            if (begin < line.size() && line[begin] == '"') {
                std::size_t close = line.find('"', begin + 1);
                while (close != std::string_view::npos && close + 1 < line.size() && line[close + 1] == '"')
                    close = line.find('"', close + 2);
                if (close == std::string_view::npos) {
                    return fail(ErrorCode::kInvalidArgument,
                                fmt::format("{}:{}:{}: expected a closing double quote before the line's end",
                                            file_name_, line_, begin + 1));
                }
                comma = line.find(',', close);
                cells_.push_back({trimmed(line.substr(begin + 1, close - begin - 1)), begin + 1});
            } else {
                cells_.push_back(
                    {trimmed(line.substr(at, comma == std::string_view::npos ? comma : comma - at)), begin + 1});
            }
            if (comma == std::string_view::npos) break;
            at = comma + 1;
        }
        return true;
    }
    return false;
}

std::optional<std::size_t> CsvReader::column_of(const std::vector<std::string_view>& names) const {
    for (const std::string_view name : names) {
        const auto found = std::ranges::find(heading_, name);
        if (found != heading_.end()) return static_cast<std::size_t>(found - heading_.begin());
    }
    return std::nullopt;
}

std::size_t CsvReader::time_column() const {
    return column_of({"time", "timestamp", "ts", "datetime", "date"}).value_or(0);
}

std::string_view CsvReader::text(std::size_t column) const noexcept {
    return column < cells_.size() ? cells_[column].text : std::string_view();
}

Result<WallTime> CsvReader::time(std::size_t column) const {
    if (const auto value = time_in(text(column))) return *value;
    return unexpected(column, "a time such as 2026-11-24T09:30:00Z or seconds since 1970");
}

Result<double> CsvReader::number(std::size_t column) const {
    if (const auto value = finite_in(text(column))) return *value;
    return unexpected(column, "a number");
}

Result<double> CsvReader::number_or_missing(std::size_t column) const {
    static constexpr std::array<std::string_view, 4> kMissing = {"", "na", "nan", "null"};
    const bool missing = column < cells_.size() && std::ranges::find(kMissing, lower(text(column))) != kMissing.end();
    if (missing) return std::numeric_limits<double>::quiet_NaN();
    if (const auto value = finite_in(text(column))) return *value;
    return unexpected(column, "a number, or nothing where it was not measured");
}

tl::unexpected<Error> CsvReader::unexpected(std::size_t column, std::string_view expected) const {
    const bool is_there = column < cells_.size();
    const std::string_view found = text(column).substr(0, kShownMax);
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}:{}: expected {}{}", file_name_, line_,
                                                         is_there ? cells_[column].column : line_length_ + 1, expected,
                                                         !is_there       ? ", found the end of the line"
                                                         : found.empty() ? ", found nothing"
                                                                         : fmt::format(", found \"{}\"", found)));
}

}  // namespace penumbra::analysis
