#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/forecast/calendar.hpp"
#include "analysis/forecast/calibration.hpp"
#include "analysis/forecast/members.hpp"
#include "analysis/forecast/special_days.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::forecast {

/// A metric on a regular grid; NaN is a missing value.
struct History {
    WallTime begin{};
    std::chrono::milliseconds step{0};
    std::vector<double> values;
};

struct Observation {
    WallTime at{};
    double value = 0;
};

/// Puts observations in any order on a grid of `step` (0: the most frequent distance); several in a cell are averaged,
/// cells without one are missing. Errors: kInvalidArgument for fewer than 2, a step that does not divide a day, or a
/// value that is not finite; kResourceExhausted above limits::kForecastHistoryMax cells.
[[nodiscard]] Result<History> on_grid(std::span<const Observation> observations, std::chrono::milliseconds step);

/// How much of its past a forecast can lean on.
enum class Regime : std::uint8_t {
    kFirstDays,  ///< < 2 days: what is now, and how it scatters; nothing should be triggered by it
    kDaily,      ///< < 14 days: a day's shape
    kWeekly,     ///< a day's and a week's shape
};
[[nodiscard]] std::string_view to_string(Regime regime) noexcept;

/// Ranges of horizons that have weights and error quantiles of their own.
inline constexpr std::size_t kRanges = 5;

/// What a fleet, or a role in it, has learnt of the members: logarithm of each one's error against the members' mean.
struct Experience {
    std::array<std::array<double, kMembers>, kRanges> log_error{};
};

struct ForecastOptions {
    std::vector<double> quantiles = {0.5, 0.9, 0.95, 0.99};    ///< rising, each inside (0, 1)
    std::size_t horizon = 0;                                   ///< steps ahead at most; 0: two days
    std::chrono::minutes utc_offset{0};                        ///< of the service's clock, for its days and weeks
    std::vector<OffsetChange> offset_changes;                  ///< of it, rising; utc_offset holds before the first
    std::vector<SpecialDay> special_days;                      ///< holidays and events, rising by date
    double lowest = 0;                                         ///< what the metric cannot go below
    double highest = std::numeric_limits<double>::infinity();  ///< and above: vCPUs, the NIC's rate
    Experience fleet;                                          ///< what own experience is shrunk towards
};

struct ForecastStep {
    WallTime at{};
    std::vector<double> values;  ///< one a quantile, rising
};

/// Share of a member in the forecast of one range of horizons.
struct MemberShare {
    std::string_view member;
    std::size_t up_to_steps = 0;
    double share = 0;
};

struct ForecastResult {
    std::vector<double> quantiles;
    std::vector<ForecastStep> steps;
    std::vector<double>
        past_coverage;        ///< a quantile: share of past values at or under what had been foretold; NaN: unknown
    std::size_t checked = 0;  ///< forecasts that have been checked so
    Regime regime = Regime::kFirstDays;
    std::size_t points_used = 0;
    std::vector<MemberShare> shares;  ///< the largest ones first, a range after the other
    std::optional<WallTime> last_shift;
    std::string explanation;  ///< regime, who decides near and far, last shift, in one or two sentences
};

/// Quantile forecast of one metric (load, CPU, ...) that learns from each value, checks every forecast it made against
/// what came, and starts again from its saved state as if it had never stopped. Value type; deterministic. Members vote
/// by their backtest error^-6 in each range of horizons, shrunk to the fleet's experience (Montero-Manso et al., IJF
/// 36, 2020, without the learner); quantiles are conformal (calibration.hpp). Never a trend: it extrapolates fatally.
/// Days are the service's clock's; what a special day adds (special_days.hpp) is taken off before members see it.
class Forecaster {
 public:
    /// Fits to a history and runs through it. O(n) time; about 40 KiB of state. Errors: kInvalidArgument for a step
    /// that does not divide a day, fewer than 2 values that are there, infinite values, or options without meaning.
    [[nodiscard]] static Result<Forecaster> fit(const History& history, const ForecastOptions& options);

    /// The next value of the grid; NaN when it is missing.
    void update(double value);
    /// Quantiles of the next `steps` (at most the options' horizon).
    [[nodiscard]] ForecastResult forecast(std::size_t steps) const;

    /// Rise over the next `within` steps that the median foretells, relative to now: the trigger "load will rise".
    [[nodiscard]] double expected_rise(std::size_t within) const;
    /// This series' experience, to be pooled over a fleet.
    [[nodiscard]] const Experience& experience() const noexcept { return own_; }

    /// The state as bytes; restore(save()) goes on exactly where this one stands.
    [[nodiscard]] std::vector<std::byte> save() const;
    /// Errors: kDataLoss for bytes that save() did not make.
    [[nodiscard]] static Result<Forecaster> restore(std::span<const std::byte> state);

 private:
    /// One horizon that is checked: its forecasts that are not due yet, oldest first, in a ring of rows (what each
    /// member expected, their combination, the scale, an offset a quantile).
    struct Probe {
        std::size_t ahead = 0;
        double size = 0;            ///< usual absolute error of the combined forecast
        double quick = 0;           ///< the same over the last hour or so
        std::size_t first_due = 0;  ///< index of the oldest row
        std::size_t head = 0;
        std::size_t held = 0;
        std::vector<float> rows;
        template <class Archive>
        void walk(Archive& archive) {
            archive(ahead);
            archive(size);
            archive(quick);
            archive(first_due);
            archive(head);
            archive(held);
            archive(rows);
        }
    };
    struct Range {
        std::size_t last = 0;    ///< longest horizon of it, in steps; 0: unused
        std::size_t stride = 1;  ///< steps between origins that are checked
        std::size_t soon = 0;    ///< 1: errors come soon enough to track quantiles by
        std::vector<Probe> probes;
        std::vector<double> error;  ///< a member: faded sum of absolute errors
        double weight = 0;          ///< faded count of them
        Calibration calibration;
        template <class Archive>
        void walk(Archive& archive) {
            archive(last);
            archive(stride);
            archive(soon);
            archive(probes);
            archive(error);
            archive(weight);
            archive(calibration);
        }
    };

    void lay_out_ranges();
    void enter_day(std::size_t index);
    [[nodiscard]] std::optional<std::size_t> special_day(std::size_t index) const noexcept;
    [[nodiscard]] double further_than_usual(std::size_t index) const noexcept;
    [[nodiscard]] double like_another_day(std::size_t day, std::size_t index) const noexcept;
    void learn_special(std::size_t index, double value);
    void check_due(double value);
    void foretell();
    void watch_for_shift();
    void learn_experience(std::size_t range);
    void weigh(std::size_t range);
    [[nodiscard]] std::size_t range_of(std::size_t ahead) const noexcept;
    [[nodiscard]] double combine(std::size_t range, const std::array<double, kMembers>& expected) const noexcept;
    [[nodiscard]] bool is_whole() const noexcept;
    [[nodiscard]] std::size_t row_length() const noexcept { return kMembers + 2 + options_.quantiles.size(); }
    void settle(Range& range, Probe& probe, std::span<const float> row, double value);
    [[nodiscard]] double size_at(const Range& range, std::size_t ahead) const noexcept;
    [[nodiscard]] double scale_at(const Range& range, std::size_t ahead) const noexcept;
    [[nodiscard]] double offset_at(const Range& range, std::size_t ahead, std::size_t quantile) const noexcept;
    [[nodiscard]] std::string explain() const;
    [[nodiscard]] Regime regime() const noexcept;
    template <class Archive>
    void walk(Archive& archive);

    ForecastOptions options_;
    Calendar calendar_;
    WallTime begin_{};
    MemberBank bank_;
    std::array<Range, kRanges> ranges_;
    Experience own_;  ///< follows from the ranges' errors
    std::array<std::array<double, kMembers>, kRanges> weights_{};
    SpecialDays special_days_;
    double level_before_ = 0;  ///< of the seasonal members, when the special day began
    double log_level_before_ = 0;
    std::size_t in_special_ = 0;  ///< 1: the last value was of a special day
    double rising_ = 0;           ///< cumulative sums of surprise, upwards and downwards
    double falling_ = 0;
    std::size_t outage_ = 0;      ///< steps that the series has been down
    std::size_t last_shift_ = 0;  ///< index after it; 0: never
};

}  // namespace penumbra::analysis::forecast
