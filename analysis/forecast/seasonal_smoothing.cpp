#include "analysis/forecast/seasonal_smoothing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::forecast {

namespace {

constexpr double kClip = 6 * 1.25;  ///< six deviations, in mean absolute ones

/// Means of what falls in each cell, around their common mean; cells without a value are 0.
std::vector<float> profile(std::span<const double> values, std::size_t cells, const auto& cell_of) {
    std::vector<double> sum(cells);
    std::vector<double> count(cells);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) continue;
        sum[cell_of(i)] += values[i];
        count[cell_of(i)] += 1;
    }
    std::vector<float> means(cells);
    for (std::size_t c = 0; c < cells; ++c)
        means[c] = count[c] > 0 ? static_cast<float>(sum[c] / count[c]) : 0;
    return means;
}

double huber(double error, double per_scale) noexcept {
    const double size = std::abs(error) * per_scale;
    return size <= 1.5 ? 0.5 * size * size : 1.5 * (size - 0.75);
}

}  // namespace

void SeasonalSmoothing::start(const Calendar& calendar, std::span<const double> history, std::size_t first_index,
                              bool weekly) {
    std::vector<double> known;
    for (const double v : history) {
        if (std::isfinite(v)) known.push_back(v);
    }
    level_ = statistics::mean(known);
    std::vector<double> rest(history.begin(), history.end());
    for (double& v : rest)
        v -= level_;
    day_ = profile(rest, calendar.per_day(), [&](std::size_t i) { return calendar.day_place(first_index + i); });
    for (std::size_t i = 0; i < rest.size(); ++i)
        rest[i] -= static_cast<double>(day_[calendar.day_place(first_index + i)]);
    week_.clear();
    if (weekly) {
        week_ =
            profile(rest, calendar.week_cells(), [&](std::size_t i) { return calendar.week_cell(first_index + i); });
        // two weeks say little of a weekly cell: half of it may be chance
        for (float& v : week_)
            v /= 2;
    }
    std::vector<double> sizes;
    for (const double v : rest) {
        if (std::isfinite(v)) sizes.push_back(std::abs(v));
    }
    deviation_ = std::max(statistics::mean(sizes), std::abs(level_) * 1e-6 + 1e-12);
    error_ = 0;
}

void SeasonalSmoothing::update(const Calendar& calendar, std::size_t index, double value, bool ordinary) noexcept {
    float* const day = &day_[calendar.day_place(index)];
    float* const week = week_.empty() ? nullptr : &week_[calendar.week_cell(index)];
    if (ordinary) {
        learn(value, *day, week);
        return;
    }
    float same_day = *day;
    float same_week = week == nullptr ? 0 : *week;
    learn(value, same_day, week == nullptr ? nullptr : &same_week);
}

void SeasonalSmoothing::learn(double value, float& day, float* week) noexcept {
    if (!std::isfinite(value)) {
        error_ *= rates_.memory;
        return;
    }
    const double expected = rates_.memory * error_;
    const double season = static_cast<double>(day) + (week == nullptr ? 0 : static_cast<double>(*week));
    const double error = value - (level_ + season);
    const double innovation = std::clamp(error - expected, -kClip * deviation_, kClip * deviation_);
    deviation_ += 0.005 * (std::abs(error - expected) - deviation_);
    error_ = expected + innovation;
    level_ += rates_.level * error_;
    day += static_cast<float>(rates_.day * error_);
    if (week != nullptr) *week += static_cast<float>(rates_.week * error_);
}

double SeasonalSmoothing::ahead(const Calendar& calendar, std::size_t index, std::size_t ahead) const noexcept {
    const std::size_t target = index + ahead;
    return usual(calendar, target) + std::pow(rates_.memory, static_cast<double>(ahead)) * error_;
}

double SeasonalSmoothing::loss(const Cells& cells, std::span<const double> history, std::size_t furthest,
                               std::size_t known, double hopeless) const {
    SeasonalSmoothing model = *this;
    const double per_scale = 1 / deviation_;
    std::vector<double> levels(history.size());
    std::vector<double> errors(history.size());
    const std::array<std::size_t, 4> steps = {1, std::max<std::size_t>(1, furthest / 8),
                                              std::max<std::size_t>(1, furthest / 2), furthest};
    std::array<double, 4> fades{};
    for (std::size_t s = 0; s < steps.size(); ++s) {
        fades[s] = std::pow(rates_.memory, static_cast<double>(steps[s]));
    }
    double sum = 0;
    for (std::size_t i = 0; i < history.size() && sum < hopeless; ++i) {
        float* const week = model.week_.empty() ? nullptr : &model.week_[cells.week[i]];
        float& day = model.day_[cells.day[i]];
        if (i >= known && std::isfinite(history[i])) {
            const double season = static_cast<double>(day) + (week == nullptr ? 0 : static_cast<double>(*week));
            for (std::size_t s = 0; s < steps.size(); ++s) {
                if (i < steps[s]) break;
                const std::size_t origin = i - steps[s];
                sum += huber(history[i] - (levels[origin] + season + fades[s] * errors[origin]), per_scale);
            }
        }
        model.learn(history[i], day, week);
        levels[i] = model.level_;
        errors[i] = model.error_;
    }
    return sum;
}

void SeasonalSmoothing::fit(const Calendar& calendar, std::span<const double> history, std::size_t first_index,
                            std::size_t horizon, std::size_t opening) {
    struct Axis {
        double SmoothingRates::* rate;
        std::vector<double> values;
    };
    const std::array<Axis, 4> axes = {{
        {&SmoothingRates::memory, {0.0, 0.3, 0.6, 0.8, 0.9, 0.97}},
        {&SmoothingRates::level, {0.0005, 0.002, 0.007, 0.02, 0.06, 0.15, 0.35}},
        {&SmoothingRates::day, {0.005, 0.02, 0.06, 0.15, 0.3}},
        {&SmoothingRates::week, {0.0, 0.02, 0.06, 0.15, 0.3}},
    }};
    Cells cells;
    for (std::size_t i = 0; i < history.size(); ++i) {
        cells.day.push_back(static_cast<std::uint32_t>(calendar.day_place(first_index + i)));
        cells.week.push_back(static_cast<std::uint32_t>(calendar.week_cell(first_index + i)));
    }
    // further than a day the profile would have moved on meanwhile: a day's errors stand for it
    const std::size_t furthest = std::min(horizon, calendar.per_day());
    // what the profiles were made of proves nothing about how fast they should learn
    const std::size_t known =
        opening > first_index && opening - first_index < history.size() ? opening - first_index : 0;
    double best = loss(cells, history, furthest, known, std::numeric_limits<double>::infinity());
    for (int round = 0; round < 2; ++round) {
        for (const auto& axis : axes) {
            if (axis.rate == &SmoothingRates::week && week_.empty()) continue;
            const SmoothingRates before = rates_;
            const auto nearest = std::ranges::min_element(
                axis.values, {}, [&](double value) { return std::abs(value - before.*axis.rate); });
            SmoothingRates chosen = before;
            for (auto value = axis.values.begin(); value != axis.values.end(); ++value) {
                // the second time only the neighbours of what the first one found
                if (*value == before.*axis.rate || (round > 0 && std::abs(value - nearest) > 1)) continue;
                rates_ = before;
                rates_.*axis.rate = *value;
                const double tried = loss(cells, history, furthest, known, best);
                if (tried < best) {
                    best = tried;
                    chosen = rates_;
                }
            }
            rates_ = chosen;
        }
    }
}

}  // namespace penumbra::analysis::forecast
