#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/forecast/calendar.hpp"

namespace penumbra::analysis::forecast {

/// Rates of the smoothing: of the level, the daily and the weekly profile, and the error's own memory.
struct SmoothingRates {
    double level = 0.02;
    double day = 0.1;
    double week = 0.05;
    double memory = 0.5;
    template <class Archive>
    void walk(Archive& archive) {
        archive(level);
        archive(day);
        archive(week);
        archive(memory);
    }
};

/// Double-seasonal exponential smoothing with AR(1) error and no trend (Taylor, JORS 54, 2003; EJOR 204, 2010), made
/// robust by clipping innovations at 6 deviations (Gelper, Fried, Croux 2010):
///   e = y - (level + day + week), v = e - phi e', level += l e, day += d e, week += w e, yhat(k) = level + day + week
///   + phi^k e.
/// Value type; O(1) an update and a step ahead. A missing value lets the error fade and learns nothing.
class SeasonalSmoothing {
 public:
    /// Starts from the profiles of `history` (NaN is missing), whose first value stands at `first_index` of the
    /// calendar.
    void start(const Calendar& calendar, std::span<const double> history, std::size_t first_index, bool weekly);

    /// A value of an `ordinary` day; another's moves level and error, and is not taken for the profile.
    void update(const Calendar& calendar, std::size_t index, double value, bool ordinary) noexcept;
    /// Value expected `ahead` >= 1 steps after the last one, which stood at `index`.
    [[nodiscard]] double ahead(const Calendar& calendar, std::size_t index, std::size_t ahead) const noexcept;
    /// Moves the level at once and forgets the last error: a shift was seen.
    void shift_level(double by) noexcept {
        level_ += by;
        error_ = 0;
    }
    [[nodiscard]] bool fits(const Calendar& calendar) const noexcept {
        return day_.size() == calendar.per_day() && (week_.empty() || week_.size() == calendar.week_cells());
    }
    /// What is expected of an ordinary day without the last error.
    [[nodiscard]] double usual(const Calendar& calendar, std::size_t index) const noexcept {
        return level_ + static_cast<double>(day_[calendar.day_place(index)]) +
               (week_.empty() ? 0 : static_cast<double>(week_[calendar.week_cell(index)]));
    }
    /// How much further than its own weekday another one stands at that time of day; 0 without a weekly profile.
    [[nodiscard]] double further_on(std::chrono::weekday day, const Calendar& calendar,
                                    std::size_t index) const noexcept {
        if (week_.empty()) return 0;
        return static_cast<double>(week_[calendar.week_cell_on(day, index)]) -
               static_cast<double>(week_[calendar.week_cell(index)]);
    }
    [[nodiscard]] double level() const noexcept { return level_; }
    /// The last error that fades, phi^k of which stands in `ahead`.
    [[nodiscard]] double error() const noexcept { return error_; }

    /// Chooses the rates by coordinate search on the Huber loss of errors 1, h/8, h/2 and h steps ahead over `history`
    /// (first value at `first_index`), from index `opening` on.
    void fit(const Calendar& calendar, std::span<const double> history, std::size_t first_index, std::size_t horizon,
             std::size_t opening);

    [[nodiscard]] const SmoothingRates& rates() const noexcept { return rates_; }
    template <class Archive>
    void walk(Archive& archive) {
        archive(rates_);
        archive(level_);
        archive(error_);
        archive(deviation_);
        archive(day_);
        archive(week_);
    }

 private:
    struct Cells {
        std::vector<std::uint32_t> day;
        std::vector<std::uint32_t> week;
    };
    void learn(double value, float& day, float* week) noexcept;
    /// Sum of losses; stops where it passes `hopeless`.
    [[nodiscard]] double loss(const Cells& cells, std::span<const double> history, std::size_t furthest,
                              std::size_t known, double hopeless) const;
    SmoothingRates rates_;
    double level_ = 0;
    double error_ = 0;
    double deviation_ = 1;  ///< running mean absolute innovation
    std::vector<float> day_;
    std::vector<float> week_;  ///< empty: no weekly profile
};

}  // namespace penumbra::analysis::forecast
