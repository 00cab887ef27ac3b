#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/time_zone.hpp"

namespace penumbra::analysis::forecast {

/// A day of the service's clock on which its load is not what its weekday says. Days of one name behave alike.
struct SpecialDay {
    std::chrono::local_days date{};
    std::string name = "holiday";
    /// Whose shape it is thought to have before one of its name was seen; empty: its own weekday's.
    std::optional<std::chrono::weekday> like = std::chrono::Sunday;
};

/// Where a grid point falls in the day and the week of the service's clock. Value type; a lookup costs O(log changes).
/// An hour that daylight saving repeats stands twice in the same place of the day, one that it skips has no value.
class Calendar {
 public:
    Calendar() = default;
    /// `step` must divide a day, `changes` rise; the caller has checked it. `utc_offset` holds before the first change.
    Calendar(WallTime begin, std::chrono::milliseconds step, std::chrono::minutes utc_offset,
             std::span<const OffsetChange> changes = {});

    [[nodiscard]] std::size_t per_day() const noexcept { return per_day_; }
    [[nodiscard]] std::size_t per_week() const noexcept { return 7 * per_day_; }
    [[nodiscard]] std::size_t per_hour() const noexcept { return std::max<std::size_t>(1, per_day_ / 24); }
    /// Cells of the weekly profile: one a step, or half an hour each where steps are shorter.
    [[nodiscard]] std::size_t week_cells() const noexcept { return std::min<std::size_t>(per_week(), kHalfHours); }

    [[nodiscard]] std::size_t day_place(std::size_t index) const noexcept {
        return (first_place_at(index) + index) % per_day_;
    }
    [[nodiscard]] std::size_t week_cell(std::size_t index) const noexcept { return cell_of(week_place(index)); }
    /// The cell of the same time of day on another weekday.
    [[nodiscard]] std::size_t week_cell_on(std::chrono::weekday day, std::size_t index) const noexcept {
        // the profile's week begins on a Thursday
        const std::size_t days = (day.c_encoding() + 7 - std::chrono::Thursday.c_encoding()) % 7;
        return cell_of(days * per_day_ + day_place(index));
    }
    /// The date on the service's clock.
    [[nodiscard]] std::chrono::local_days date(std::size_t index) const noexcept;
    /// The point that showed the same time of day `steps` (whole days) before; none before the first point.
    [[nodiscard]] std::optional<std::size_t> same_time_before(std::size_t index, std::size_t steps) const noexcept;
    /// Whether the clock jumps forward right before this point, and over how many places of the day.
    [[nodiscard]] std::size_t skipped_before(std::size_t index) const noexcept;

    [[nodiscard]] WallTime at(std::size_t index) const noexcept {
        return begin_ + step_ * static_cast<std::int64_t>(index);
    }
    [[nodiscard]] std::chrono::milliseconds step() const noexcept { return step_; }

 private:
    static constexpr std::size_t kHalfHours = 336;
    /// What holds from a point on.
    struct Stretch {
        std::size_t from = 0;
        std::size_t first_place = 0;  ///< place in the week that point 0 would have
        std::chrono::minutes offset{0};
    };
    [[nodiscard]] const Stretch* stretch_at(std::size_t index) const noexcept;
    [[nodiscard]] std::size_t first_place_at(std::size_t index) const noexcept {
        if (stretches_.empty()) return first_place_;
        const Stretch* const stretch = stretch_at(index);
        return stretch == nullptr ? first_place_ : stretch->first_place;
    }
    [[nodiscard]] std::size_t first_place_for(std::chrono::minutes offset) const noexcept;
    [[nodiscard]] std::size_t week_place(std::size_t index) const noexcept {
        return (first_place_at(index) + index) % per_week();
    }
    [[nodiscard]] std::size_t cell_of(std::size_t place) const noexcept { return place * week_cells() / per_week(); }

    WallTime begin_{};
    std::chrono::milliseconds step_{std::chrono::hours(1)};
    std::size_t per_day_ = 24;
    std::size_t first_place_ = 0;
    std::chrono::minutes offset_{0};
    std::vector<Stretch> stretches_;  ///< after the first change; rising
};

}  // namespace penumbra::analysis::forecast
