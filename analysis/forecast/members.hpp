#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/forecast/calendar.hpp"
#include "analysis/forecast/seasonal_smoothing.hpp"
#include "analysis/forecast/theta.hpp"

namespace penumbra::analysis::forecast {

/// The models that vote, cheap ones first. Simple ones stay: no single one wins on every kind of series.
enum class Member : std::uint8_t {
    kLastValue,    ///< what is now stays
    kLastHour,     ///< mean of the last hour
    kSlowAverage,  ///< exponential average over about six hours
    kTheta,        ///< exponential average of the rate that did best lately, and half of the long slope for some hours
    kYesterday,    ///< the same time a day ago
    kLastWeek,     ///< the same time a week ago
    kUsualDay,     ///< median of the same time on the last seven days
    kUsualDayOffset,  ///< the same, with the last hour's difference fading over six hours
    kSeasonal,        ///< seasonal smoothing
    kSeasonalLog,     ///< seasonal smoothing of asinh(y / scale), for effects that multiply
};
inline constexpr std::size_t kMembers = 10;
[[nodiscard]] std::string_view to_string(Member member) noexcept;

/// All members over one series. Value type; an update costs about 100 ns, a step ahead of all members about 200 ns.
class MemberBank {
 public:
    /// Starts from a history (NaN is missing) whose first value stands at index 0: profiles and rates; learns nothing
    /// more.
    void start(const Calendar& calendar, std::span<const double> history, std::size_t horizon);

    /// The next value; NaN when it is missing. Of a day that is not `ordinary` no season is learnt.
    void update(const Calendar& calendar, double value, bool ordinary = true);
    /// What each member expects `ahead` >= 1 steps after the last value.
    [[nodiscard]] std::array<double, kMembers> ahead(const Calendar& calendar, std::size_t ahead) const;

    /// Values whose shape the start has already seen: forecasts made before their end prove nothing.
    [[nodiscard]] std::size_t opening() const noexcept { return opening_; }
    /// Values given so far, missing ones included.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Whether a state that was read belongs to this calendar.
    [[nodiscard]] bool fits(const Calendar& calendar) const noexcept {
        return count_ > 0 && recent_.size() == calendar.per_week() && seasonal_.fits(calendar) &&
               seasonal_log_.fits(calendar);
    }
    /// Smallest value of the last week; +inf when there is none.
    [[nodiscard]] double recent_minimum() const noexcept;
    /// The last value's error against the seasonal model one step before, in its usual absolute error; 0 when missing.
    [[nodiscard]] double surprise() const noexcept { return surprise_; }
    /// Takes the last hour's mean error into the levels at once.
    void accept_shift(const Calendar& calendar);
    [[nodiscard]] const SeasonalSmoothing& seasonal() const noexcept { return seasonal_; }
    /// A usual size of values: of the level, or where that is near 0 of the history's.
    [[nodiscard]] double size() const noexcept { return std::max(std::abs(seasonal_.level()), 2.5 * log_scale_); }
    /// A special day is over: back to the level from before it.
    void return_to(double level, double log_level) noexcept {
        seasonal_.shift_level(level - seasonal_.level());
        seasonal_log_.shift_level(log_level - seasonal_log_.level());
        offset_ = 0;
    }
    [[nodiscard]] double log_level() const noexcept { return seasonal_log_.level(); }
    [[nodiscard]] const SmoothingRates& rates() const noexcept { return seasonal_.rates(); }

    template <class Archive>
    void walk(Archive& archive) {
        archive(seasonal_);
        archive(seasonal_log_);
        archive(recent_);
        archive(count_);
        archive(opening_);
        archive(last_);
        archive(slow_);
        archive(log_scale_);
        archive(surprise_);
        archive(usual_error_);
        archive(offset_);
        archive(hour_mean_);
        archive(theta_);
        archive(lowest_);
        archive(highest_);
    }
    /// Brings back what follows from the rest after it was read.
    void complete(const Calendar& calendar);

 private:
    [[nodiscard]] double value_at(std::size_t index) const noexcept;
    [[nodiscard]] double usual(const Calendar& calendar, std::size_t index) const noexcept;
    void refresh_usual(const Calendar& calendar, std::size_t index);
    [[nodiscard]] float usual_of(const Calendar& calendar, std::size_t index) const noexcept;
    SeasonalSmoothing seasonal_;
    SeasonalSmoothing seasonal_log_;
    std::vector<float> recent_;  ///< the last week, as a ring; NaN where missing
    std::vector<float> usual_;   ///< a place of the day: median of its last seven days; follows from recent_
    Theta theta_;
    std::size_t count_ = 0;
    std::size_t opening_ = 0;
    double lowest_ = 0;  ///< of about the last week
    double highest_ = 0;
    double last_ = 0;  ///< last value that was there
    double slow_ = 0;
    double log_scale_ = 1;
    double surprise_ = 0;
    double usual_error_ = 0;
    double offset_ = 0;  ///< last hour's mean difference from the usual day
    double hour_mean_ = 0;
};

}  // namespace penumbra::analysis::forecast
