#include "analysis/forecast/calendar.hpp"

namespace penumbra::analysis::forecast {

Calendar::Calendar(WallTime begin, std::chrono::milliseconds step, std::chrono::minutes utc_offset,
                   std::span<const OffsetChange> changes)
    : begin_(begin), step_(step), per_day_(static_cast<std::size_t>(std::chrono::days(1) / step)), offset_(utc_offset) {
    for (const OffsetChange& change : changes) {
        if (change.at <= begin) {
            offset_ = change.offset;
            continue;
        }
        const auto from = static_cast<std::size_t>((change.at - begin + step - std::chrono::milliseconds(1)) / step);
        stretches_.push_back({.from = from, .first_place = first_place_for(change.offset), .offset = change.offset});
    }
    first_place_ = first_place_for(offset_);
}

std::size_t Calendar::first_place_for(std::chrono::minutes offset) const noexcept {
    // 1970 began on a Thursday; a week here does too, which no profile minds
    const auto week = std::chrono::milliseconds(std::chrono::weeks(1));
    const auto local = (begin_ + offset).time_since_epoch();
    return static_cast<std::size_t>((((local % week) + week) % week) / step_);
}

const Calendar::Stretch* Calendar::stretch_at(std::size_t index) const noexcept {
    const auto after = std::ranges::upper_bound(stretches_, index, {}, &Stretch::from);
    return after == stretches_.begin() ? nullptr : &*std::prev(after);
}

std::chrono::local_days Calendar::date(std::size_t index) const noexcept {
    const Stretch* const stretch = stretch_at(index);
    const auto local = at(index) + (stretch == nullptr ? offset_ : stretch->offset);
    return std::chrono::local_days(std::chrono::floor<std::chrono::days>(local).time_since_epoch());
}

std::optional<std::size_t> Calendar::same_time_before(std::size_t index, std::size_t steps) const noexcept {
    if (steps > index) return std::nullopt;
    const std::size_t straight = index - steps;
    if (stretches_.empty()) return straight;
    // where the clock stood differently then, the same time of day is that much further on or back
    const std::size_t day = per_day_;
    const std::size_t ahead = (day_place(index) + day - day_place(straight)) % day;
    if (ahead == 0) return straight;
    if (ahead <= day / 2) return straight + ahead;
    return straight + ahead < day ? std::nullopt : std::optional(straight + ahead - day);
}

std::size_t Calendar::skipped_before(std::size_t index) const noexcept {
    if (stretches_.empty() || index == 0) return 0;
    const std::size_t jump = (day_place(index) + per_day_ - day_place(index - 1) - 1) % per_day_;
    return jump <= per_day_ / 2 ? jump : 0;
}

}  // namespace penumbra::analysis::forecast
