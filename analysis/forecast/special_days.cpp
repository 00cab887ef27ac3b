#include "analysis/forecast/special_days.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "analysis/csv_reader.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

namespace {

constexpr double kPriorDays = 0.5;  ///< days of past surplus that "none" counts as
constexpr std::array<std::string_view, 8> kLikes = {"sunday",   "monday", "tuesday",  "wednesday",
                                                    "thursday", "friday", "saturday", "itself"};

Result<std::optional<std::chrono::weekday>> like_in(const CsvReader& reader, std::size_t column) {
    std::string word(reader.text(column));
    std::ranges::transform(word, word.begin(),
                           [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    if (word.empty()) return std::optional(std::chrono::Sunday);
    const auto found = std::ranges::find(kLikes, word);
    if (found == kLikes.end()) return reader.unexpected(column, "a weekday or \"itself\"");
    const auto place = static_cast<unsigned>(found - kLikes.begin());
    return place < 7 ? std::optional(std::chrono::weekday(place)) : std::nullopt;
}

}  // namespace

void SpecialDays::start(std::span<const SpecialDay> days) {
    *this = SpecialDays{};
    for (const SpecialDay& day : days) {
        const std::vector<std::uint8_t> name(day.name.begin(), day.name.end());
        const auto known = std::ranges::find(kinds_, name, &Kind::name);
        const auto kind = static_cast<std::size_t>(known - kinds_.begin());
        if (known == kinds_.end()) kinds_.push_back({.name = name});
        days_.push_back({.number = static_cast<std::uint32_t>(day.date.time_since_epoch().count()),
                         .kind = kind,
                         .like = day.like ? static_cast<std::uint8_t>(day.like->c_encoding()) : kItself});
    }
}

std::optional<std::size_t> SpecialDays::find(std::chrono::local_days date) const noexcept {
    if (days_.empty() || date.time_since_epoch().count() < 0) return std::nullopt;
    const auto number = static_cast<std::uint32_t>(date.time_since_epoch().count());
    const auto found = std::ranges::lower_bound(days_, number, {}, &Day::number);
    if (found == days_.end() || found->number != number) return std::nullopt;
    return static_cast<std::size_t>(found - days_.begin());
}

std::optional<std::chrono::weekday> SpecialDays::like(std::size_t day) const noexcept {
    if (days_[day].like == kItself) return std::nullopt;
    return std::chrono::weekday(days_[day].like);
}

std::string SpecialDays::name(std::size_t day) const {
    const auto& name = kinds_[days_[day].kind].name;
    return {name.begin(), name.end()};
}

double SpecialDays::seen(std::size_t day) const noexcept {
    const auto& hours = kinds_[days_[day].kind].days;
    return static_cast<double>(std::accumulate(hours.begin(), hours.end(), 0.0F)) / static_cast<double>(hours.size());
}

double SpecialDays::surplus(std::size_t day, std::size_t hour) const noexcept {
    const Kind& kind = kinds_[days_[day].kind];
    return static_cast<double>(kind.sum[hour]) / (static_cast<double>(kind.days[hour]) + kPriorDays);
}

void SpecialDays::learn(std::size_t day, std::size_t hour, double surplus, std::size_t per_hour) noexcept {
    if (!std::isfinite(surplus)) return;
    Kind& kind = kinds_[days_[day].kind];
    const double share = 1 / static_cast<double>(per_hour);
    kind.sum[hour] += static_cast<float>(surplus * share);
    kind.days[hour] += static_cast<float>(share);
}

bool SpecialDays::fits() const noexcept {
    const auto finite = [](float value) { return std::isfinite(value); };
    return std::ranges::all_of(days_,
                               [&](const Day& day) { return day.kind < kinds_.size() && day.like <= kItself; }) &&
           std::ranges::is_sorted(days_, {}, &Day::number) && std::ranges::all_of(kinds_, [&](const Kind& kind) {
               return std::ranges::all_of(kind.sum, finite) &&
                      std::ranges::all_of(kind.days, [](float n) { return n >= 0 && std::isfinite(n); });
           });
}

Result<std::vector<SpecialDay>> parse_special_days(std::string_view file_name, std::string_view csv) {
    CsvReader reader{std::string(file_name), csv};
    std::vector<SpecialDay> days;
    while (TRY(reader.next())) {
        const WallTime at = TRY(reader.time(0));
        const auto date = std::chrono::floor<std::chrono::days>(at);
        if (date != at) return reader.unexpected(0, "a date such as 2026-12-25");
        SpecialDay day{.date = std::chrono::local_days(date.time_since_epoch()), .like = TRY(like_in(reader, 2))};
        if (!reader.text(1).empty()) day.name = reader.text(1);
        if (std::ranges::find(days, day.date, &SpecialDay::date) != days.end())
            return reader.unexpected(0, "a date that has not been named before");
        if (days.size() == limits::kSpecialDaysMax) {
            return fail(ErrorCode::kResourceExhausted,
                        fmt::format("{}: at most {} special days", file_name, limits::kSpecialDaysMax));
        }
        days.push_back(std::move(day));
    }
    std::ranges::sort(days, {}, &SpecialDay::date);
    return days;
}

}  // namespace penumbra::analysis::forecast
