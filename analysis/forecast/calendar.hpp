#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace penumbra::analysis::forecast {

/// Where a grid point falls in the day and the week of the service's clock. Value type.
/// The offset from UTC is fixed; a zone with daylight saving is its standard offset, one hour off in summer.
class Calendar {
 public:
    Calendar() = default;
    /// `step` must divide a day; the caller has checked it.
    Calendar(WallTime begin, std::chrono::milliseconds step, std::chrono::minutes utc_offset) noexcept
        : begin_(begin), step_(step), per_day_(static_cast<std::size_t>(std::chrono::days(1) / step)) {
        // 1970 began on a Thursday; a week here does too, which no profile minds
        const auto week = std::chrono::milliseconds(std::chrono::weeks(1));
        const auto local = (begin + utc_offset).time_since_epoch();
        first_place_ = static_cast<std::size_t>((((local % week) + week) % week) / step);
    }

    [[nodiscard]] std::size_t per_day() const noexcept { return per_day_; }
    [[nodiscard]] std::size_t per_week() const noexcept { return 7 * per_day_; }
    [[nodiscard]] std::size_t per_hour() const noexcept { return std::max<std::size_t>(1, per_day_ / 24); }
    /// Cells of the weekly profile: one a step, or half an hour each where steps are shorter.
    [[nodiscard]] std::size_t week_cells() const noexcept { return std::min<std::size_t>(per_week(), kHalfHours); }

    [[nodiscard]] std::size_t day_place(std::size_t index) const noexcept { return (first_place_ + index) % per_day_; }
    [[nodiscard]] std::size_t week_cell(std::size_t index) const noexcept {
        return (first_place_ + index) % per_week() * week_cells() / per_week();
    }
    [[nodiscard]] WallTime at(std::size_t index) const noexcept {
        return begin_ + step_ * static_cast<std::int64_t>(index);
    }
    [[nodiscard]] std::chrono::milliseconds step() const noexcept { return step_; }

 private:
    static constexpr std::size_t kHalfHours = 336;
    WallTime begin_{};
    std::chrono::milliseconds step_{std::chrono::hours(1)};
    std::size_t per_day_ = 24;
    std::size_t first_place_ = 0;
};

}  // namespace penumbra::analysis::forecast
