#include "analysis/forecast/forecaster.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "analysis/forecast/forecast_checks.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kWeightPower = 6;      ///< votes fall with error^-6
constexpr double kHalfLifeDays = 4;     ///< of an error in the votes
constexpr double kFleetCounts = 12;     ///< errors that the fleet's experience stands for
constexpr double kNoiseStep = 0.02;     ///< of the usual error's running mean
constexpr double kSurpriseClip = 5;     ///< usual errors
constexpr double kSurpriseSlack = 2.5;  ///< of the cumulative sums, in usual errors
constexpr double kShiftAlarm = 25;      ///< ten steps of the largest surprise
constexpr double kOutageShare = 0.1;    ///< of what was expected
constexpr double kQuickStep = 0.08;     ///< of the last hour's error
constexpr std::array<std::size_t, kRanges> kErrorsKept = {384, 1008, 384, 384, 384};

/// Moves a usual error towards a new one; one far off moves it no more than eight usual ones.
void follow(double& usual, double size) noexcept {
    if (usual > 0) {
        usual += kNoiseStep * (std::min(size, 8 * usual) - usual);
    } else {
        usual = size;
    }
}

}  // namespace

Result<History> on_grid(std::span<const Observation> observations, std::chrono::milliseconds step) {
    std::map<WallTime, std::pair<double, double>> sums;
    for (const auto& [at, value] : observations) {
        if (!std::isfinite(value)) {
            return fail(ErrorCode::kInvalidArgument, "the history has a value that is not a number: leave it out");
        }
        auto& [sum, count] = sums[at];
        sum += value;
        count += 1;
    }
    if (sums.size() < 2) return fail(ErrorCode::kInvalidArgument, "a history needs at least 2 different times");
    if (step.count() == 0) {
        std::map<std::chrono::milliseconds, std::size_t> distances;
        for (auto next = std::next(sums.begin()); next != sums.end(); ++next)
            ++distances[next->first - std::prev(next)->first];
        step = std::ranges::max_element(distances, {}, [](const auto& entry) { return entry.second; })->first;
    }
    if (!divides_a_day(step)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a step of {} ms does not divide a day: name one that does", step.count()));
    }
    const auto cells = (sums.rbegin()->first - sums.begin()->first) / step + 1;
    if (cells > static_cast<std::int64_t>(limits::kForecastHistoryMax)) {
        return fail(ErrorCode::kResourceExhausted, fmt::format("the history spans {} steps of {} ms; at most {}", cells,
                                                               step.count(), limits::kForecastHistoryMax));
    }
    History history{.begin = sums.begin()->first, .step = step};
    history.values.assign(static_cast<std::size_t>(cells), 0);
    std::vector<double> counts(history.values.size());
    for (const auto& [at, entry] : sums) {
        const auto cell = static_cast<std::size_t>((at - history.begin) / step);
        history.values[cell] += entry.first;
        counts[cell] += entry.second;
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
        history.values[i] = counts[i] > 0 ? history.values[i] / counts[i] : kMissing;
    return history;
}

std::string_view to_string(Regime regime) noexcept {
    switch (regime) {
        case Regime::kFirstDays:
            return "first days";
        case Regime::kDaily:
            return "daily";
        case Regime::kWeekly:
            return "weekly";
    }
    return "?";
}

Result<Forecaster> Forecaster::fit(const History& history, const ForecastOptions& options) {
    TRY(check(history, options));
    Forecaster result;
    result.options_ = options;
    result.begin_ = history.begin;
    result.calendar_ = Calendar(history.begin, history.step, options.utc_offset, options.offset_changes);
    result.special_days_.start(options.special_days);
    if (result.options_.horizon == 0) {
        result.options_.horizon = std::min(2 * result.calendar_.per_day(), limits::kForecastHorizonMax);
    }
    result.lay_out_ranges();
    // what profiles and rates start from are ordinary days
    std::vector<double> ordinary;
    if (!options.special_days.empty()) {
        ordinary = history.values;
        for (std::size_t i = 0; i < ordinary.size(); ++i)
            ordinary[i] = result.special_day(i) ? kMissing : ordinary[i];
        const auto known = std::ranges::count_if(ordinary, [](double v) { return std::isfinite(v); });
        if (known < 2) ordinary.clear();
    }
    result.bank_.start(result.calendar_, ordinary.empty() ? history.values : ordinary, result.options_.horizon);
    for (const double value : history.values)
        result.update(value);
    return result;
}

void Forecaster::lay_out_ranges() {
    const std::size_t hour = calendar_.per_hour();
    const std::array<std::size_t, kRanges> ends = {std::max<std::size_t>(1, hour / 4), hour, 6 * hour, 24 * hour,
                                                   limits::kForecastHorizonMax};
    std::size_t first = 1;
    for (std::size_t i = 0; i < kRanges; ++i) {
        Range& range = ranges_[i];
        range.error.assign(kMembers, 0);
        const std::size_t last = std::min(ends[i], options_.horizon);
        if (last < first) continue;
        range.last = last;
        // a member that repeats a season is right at multiples of it by nature: horizons between them are probed too
        const bool soon = last <= hour;
        const auto parts = soon ? std::vector<double>{0.3, 1.0} : std::vector<double>{0.1, 0.4, 0.7, 1.0};
        for (const double part : parts) {
            const auto probe = first + static_cast<std::size_t>(part * static_cast<double>(last - first));
            if (range.probes.empty() || range.probes.back().ahead != probe) range.probes.push_back({.ahead = probe});
        }
        range.soon = soon ? 1 : 0;
        range.stride = soon ? 1 : std::max<std::size_t>(1, i == 2 ? hour / 2 : (i == 3 ? hour : 2 * hour));
        for (Probe& probe : range.probes)
            probe.rows.assign((probe.ahead / range.stride + 1) * row_length(), 0);
        range.calibration.start(options_.quantiles, soon ? Calibration::Feedback::kSoon : Calibration::Feedback::kLate,
                                kErrorsKept[i], range.probes.size());
        first = last + 1;
        weigh(i);
    }
}

void Forecaster::update(double value) {
    const std::size_t index = bank_.count();
    if (!std::isfinite(value)) value = kMissing;
    // a series that is down is not load that went away: nothing is learnt from it for two hours
    if (std::isfinite(value) && index > calendar_.per_day()) {
        const double expected =
            bank_.ahead(calendar_, 1)[static_cast<std::size_t>(Member::kSeasonal)] + further_than_usual(index);
        const bool down =
            expected > 0 && value <= kOutageShare * expected && value < kOutageShare * bank_.recent_minimum();
        outage_ = down ? outage_ + 1 : 0;
        if (down && outage_ <= 2 * calendar_.per_hour()) value = kMissing;
    }
    enter_day(index);
    const double usual = value - further_than_usual(index);
    learn_special(index, value);
    check_due(usual);
    bank_.update(calendar_, usual, in_special_ == 0);
    watch_for_shift();
    if (bank_.count() > bank_.opening()) foretell();
}

std::optional<std::size_t> Forecaster::special_day(std::size_t index) const noexcept {
    return special_days_.empty() ? std::nullopt : special_days_.find(calendar_.date(index));
}

double Forecaster::like_another_day(std::size_t day, std::size_t index) const noexcept {
    const auto like = special_days_.like(day);
    return like ? bank_.seasonal().further_on(*like, calendar_, index) : 0;
}

/// What a special day adds to what an ordinary one of its weekday would bring; 0 on ordinary days.
double Forecaster::further_than_usual(std::size_t index) const noexcept {
    const auto day = special_day(index);
    if (!day) return 0;
    const std::size_t hour = calendar_.day_place(index) * 24 / calendar_.per_day();
    return like_another_day(*day, index) + bank_.size() * special_days_.surplus(*day, hour);
}

/// Keeps the level from before special days, and goes back to it after them: what they added was not load to stay.
void Forecaster::enter_day(std::size_t index) {
    const bool special = special_day(index).has_value();
    if (special && in_special_ == 0) {
        level_before_ = bank_.seasonal().level();
        log_level_before_ = bank_.log_level();
    }
    if (!special && in_special_ != 0) bank_.return_to(level_before_, log_level_before_);
    in_special_ = special ? 1 : 0;
}

void Forecaster::learn_special(std::size_t index, double value) {
    // before a day's shape is known nothing can be told from it
    if (in_special_ == 0 || bank_.count() < calendar_.per_day()) return;
    const std::size_t day = *special_day(index);
    const double ordinary = bank_.seasonal().usual(calendar_, index) - bank_.seasonal().level() + level_before_;
    const std::size_t hour = calendar_.day_place(index) * 24 / calendar_.per_day();
    special_days_.learn(day, hour, (value - ordinary - like_another_day(day, index)) / bank_.size(),
                        calendar_.per_hour());
}

void Forecaster::check_due(double value) {
    const std::size_t index = bank_.count();
    for (std::size_t i = 0; i < kRanges; ++i) {
        Range& range = ranges_[i];
        bool touched = false;
        for (Probe& probe : range.probes) {
            if (probe.held == 0 || probe.first_due != index) continue;
            if (std::isfinite(value)) {
                settle(range, probe, std::span(probe.rows).subspan(probe.head * row_length(), row_length()), value);
                touched = true;
            }
            probe.first_due += range.stride;
            probe.head = (probe.head + 1) * row_length() < probe.rows.size() ? probe.head + 1 : 0;
            --probe.held;
        }
        if (touched) weigh(i);
    }
}

void Forecaster::settle(Range& range, Probe& probe, std::span<const float> row, double value) {
    // each origin of a range leaves several errors: a value's fading is shared out among them
    const double days = static_cast<double>(range.stride) /
                        (static_cast<double>(range.probes.size()) * static_cast<double>(calendar_.per_day()));
    const double fade = std::exp2(-days / kHalfLifeDays);
    range.weight = fade * range.weight + 1;
    for (std::size_t m = 0; m < kMembers; ++m)
        range.error[m] = fade * range.error[m] + std::abs(value - static_cast<double>(row[m]));
    const double error = value - static_cast<double>(row[kMembers]);
    // soon, the furthest horizon stands for its range; late, there are too few errors to leave any out
    if (range.soon == 0 || &probe == &range.probes.back()) {
        range.calibration.observe(error, static_cast<double>(row[kMembers + 1]), row.subspan(kMembers + 2));
    }
    follow(probe.size, std::abs(error));
    probe.quick += kQuickStep * (std::abs(error) - probe.quick);
}

void Forecaster::foretell() {
    const std::size_t now = bank_.count() - 1;
    for (std::size_t i = 0; i < kRanges; ++i) {
        Range& range = ranges_[i];
        if (range.last == 0 || now % range.stride != 0) continue;
        for (Probe& probe : range.probes) {
            const auto expected = bank_.ahead(calendar_, probe.ahead);
            if (probe.held == 0) probe.first_due = now + probe.ahead;
            const std::size_t slots = probe.rows.size() / row_length();
            const auto row =
                std::span(probe.rows).subspan((probe.head + probe.held) % slots * row_length(), row_length());
            std::ranges::transform(expected, row.begin(), [](double v) { return static_cast<float>(v); });
            row[kMembers] = static_cast<float>(combine(i, expected));
            row[kMembers + 1] = static_cast<float>(scale_at(range, probe.ahead));
            for (std::size_t q = 0; q < options_.quantiles.size(); ++q)
                row[kMembers + 2 + q] = static_cast<float>(offset_at(range, probe.ahead, q));
            ++probe.held;
        }
    }
}

void Forecaster::watch_for_shift() {
    const double z = std::clamp(bank_.surprise(), -kSurpriseClip, kSurpriseClip);
    rising_ = std::max(0.0, rising_ + z - kSurpriseSlack);
    falling_ = std::max(0.0, falling_ - z - kSurpriseSlack);
    if (std::max(rising_, falling_) < kShiftAlarm || bank_.count() < 2 * calendar_.per_day()) return;
    rising_ = falling_ = 0;
    last_shift_ = bank_.count();
    bank_.accept_shift(calendar_);
    for (Range& range : ranges_) {
        if (range.last == 0) continue;
        range.weight /= 4;
        for (double& error : range.error)
            error /= 4;
    }
}

void Forecaster::learn_experience(std::size_t index) {
    const Range& range = ranges_[index];
    std::array<double, kMembers>& logs = own_.log_error[index];
    std::array<double, kMembers> means{};
    double all = 0;
    for (std::size_t m = 0; m < kMembers; ++m) {
        means[m] = range.weight > 0 ? range.error[m] / range.weight : 0;
        all += means[m] / kMembers;
    }
    double middle = 0;
    for (std::size_t m = 0; m < kMembers; ++m) {
        // a floor, so that a perfect member on constant data does not divide by nothing
        logs[m] = all > 0 ? std::log(means[m] / all + 0.02) : 0;
        middle += logs[m] / kMembers;
    }
    for (double& log : logs)
        log -= middle;
}

void Forecaster::weigh(std::size_t index) {
    learn_experience(index);
    const Range& range = ranges_[index];
    const std::array<double, kMembers>& logs = own_.log_error[index];
    double total = 0;
    for (std::size_t m = 0; m < kMembers; ++m) {
        const double shrunk = (range.weight * logs[m] + kFleetCounts * options_.fleet.log_error[index][m]) /
                              (range.weight + kFleetCounts);
        // without two days there is no season to repeat: only what is now, of three lengths
        const bool usable =
            bank_.count() == 0 || regime() != Regime::kFirstDays || m <= static_cast<std::size_t>(Member::kTheta);
        weights_[index][m] = usable ? std::exp(-kWeightPower * shrunk) : 0;
        total += weights_[index][m];
    }
    for (double& weight : weights_[index])
        weight /= total;
}

std::size_t Forecaster::range_of(std::size_t ahead) const noexcept {
    std::size_t last = 0;
    for (std::size_t i = 0; i < kRanges; ++i) {
        if (ranges_[i].last == 0) continue;
        last = i;
        if (ahead <= ranges_[i].last) break;
    }
    return last;
}

double Forecaster::combine(std::size_t range, const std::array<double, kMembers>& expected) const noexcept {
    return std::inner_product(expected.begin(), expected.end(), weights_[range].begin(), 0.0);
}

/// Usual error so far ahead, between the probes that were checked; 0 before the first check.
double Forecaster::size_at(const Range& range, std::size_t ahead) const noexcept {
    std::size_t after = 0;
    while (after + 1 < range.probes.size() && range.probes[after].ahead < ahead)
        ++after;
    const Probe& low = range.probes[after == 0 ? 0 : after - 1];
    const Probe& high = range.probes[after];
    if (high.ahead == low.ahead) return high.size;
    const double part =
        (static_cast<double>(ahead) - static_cast<double>(low.ahead)) / static_cast<double>(high.ahead - low.ahead);
    return low.size + std::clamp(part, 0.0, 1.0) * (high.size - low.size);
}

/// What the range's calibration measures an error in.
double Forecaster::scale_at(const Range& range, std::size_t ahead) const noexcept {
    if (range.soon == 0) return size_at(range, ahead);
    const Probe& last = range.probes.back();
    return last.quick + 0.1 * last.size;
}

double Forecaster::offset_at(const Range& range, std::size_t ahead, std::size_t quantile) const noexcept {
    const double offset = range.calibration.offset(quantile, scale_at(range, ahead));
    const double whole = range.probes.back().size;
    if (range.soon == 0 || whole <= 0) return offset;
    return offset * size_at(range, ahead) / whole;
}

Regime Forecaster::regime() const noexcept {
    const std::size_t days = bank_.count() / calendar_.per_day();
    if (days < 2) return Regime::kFirstDays;
    return days < 14 ? Regime::kDaily : Regime::kWeekly;
}

ForecastResult Forecaster::forecast(std::size_t steps) const {
    steps = std::min(steps, options_.horizon);
    ForecastResult result{.quantiles = options_.quantiles, .regime = regime(), .points_used = bank_.count()};
    const std::size_t now = bank_.count() - 1;
    for (std::size_t ahead = 1; ahead <= steps; ++ahead) {
        const std::size_t range = range_of(ahead);
        const double middle = combine(range, bank_.ahead(calendar_, ahead)) + further_than_usual(now + ahead);
        ForecastStep step{.at = calendar_.at(now + ahead)};
        for (std::size_t q = 0; q < options_.quantiles.size(); ++q) {
            const double value = middle + offset_at(ranges_[range], ahead, q);
            step.values.push_back(std::clamp(value, options_.lowest, options_.highest));
        }
        std::ranges::sort(step.values);
        result.steps.push_back(std::move(step));
    }
    for (std::size_t q = 0; q < options_.quantiles.size(); ++q) {
        double covered = 0;
        std::size_t checked = 0;
        for (std::size_t i = 0; i < kRanges && steps > 0 && i <= range_of(steps); ++i) {
            const auto& calibration = ranges_[i].calibration;
            if (ranges_[i].last == 0 || calibration.checked() == 0) continue;
            covered += calibration.past_coverage(q) * static_cast<double>(calibration.checked());
            checked += calibration.checked();
        }
        result.past_coverage.push_back(checked == 0 ? kMissing : covered / static_cast<double>(checked));
        result.checked = checked;
    }
    for (std::size_t i = 0; i < kRanges; ++i) {
        if (ranges_[i].last == 0) continue;
        std::array<std::size_t, kMembers> order{};
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return weights_[i][a] > weights_[i][b]; });
        for (const std::size_t m : order) {
            result.shares.push_back(
                {.member = to_string(static_cast<Member>(m)), .up_to_steps = ranges_[i].last, .share = weights_[i][m]});
        }
    }
    if (last_shift_ > 0) result.last_shift = calendar_.at(last_shift_ - 1);
    result.explanation = explain();
    return result;
}

double Forecaster::expected_rise(std::size_t within) const {
    const std::size_t last = bank_.count() - 1;
    const auto now = bank_.ahead(calendar_, 1)[static_cast<std::size_t>(Member::kLastHour)] + further_than_usual(last);
    double most = now;
    for (std::size_t ahead = 1; ahead <= std::min(within, options_.horizon); ++ahead) {
        most =
            std::max(most, combine(range_of(ahead), bank_.ahead(calendar_, ahead)) + further_than_usual(last + ahead));
    }
    return now > 0 ? most / now - 1 : 0;
}

std::string Forecaster::explain() const {
    const auto leader = [&](std::size_t range) {
        const auto best = std::ranges::max_element(weights_[range]);
        return fmt::format("{} ({:.0f} %)",
                           to_string(static_cast<Member>(std::distance(weights_[range].begin(), best))), 100 * *best);
    };
    std::string text =
        fmt::format("{} regime from {} points; next hour mostly by {}, furthest mostly by {}", to_string(regime()),
                    bank_.count(), leader(range_of(calendar_.per_hour())), leader(range_of(options_.horizon)));
    if (last_shift_ > 0) {
        const double hours =
            static_cast<double>(bank_.count() - last_shift_) / static_cast<double>(calendar_.per_hour());
        text += fmt::format("; the level shifted {:.0f} h before the last point", hours);
    }
    for (std::size_t ahead = 1; ahead <= options_.horizon && !special_days_.empty(); ahead += calendar_.per_day()) {
        const std::size_t index = bank_.count() - 1 + ahead;
        if (const auto day = special_day(index)) {
            text += fmt::format("; {:%F} is a {}, of which {:.0f} were seen",
                                std::chrono::sys_days(calendar_.date(index).time_since_epoch()),
                                special_days_.name(*day), special_days_.seen(*day));
        }
    }
    if (outage_ > 0) text += fmt::format("; down for {} steps, not learnt from", outage_);
    return text;
}

}  // namespace penumbra::analysis::forecast
