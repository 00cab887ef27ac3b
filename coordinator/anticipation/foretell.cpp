#include "coordinator/anticipation/foretell.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "analysis/forecast/checked_fit.hpp"
#include "analysis/forecast/forecaster.hpp"
#include "base/limits/analysis.hpp"
#include "base/limits/traffic.hpp"
#include "base/limits/wire.hpp"

namespace penumbra::coordinator {

namespace {

using analysis::forecast::fit_checked;
using analysis::forecast::Forecaster;
using analysis::forecast::ForecastOptions;
using analysis::forecast::ForecastStep;
using analysis::forecast::History;
using analysis::forecast::Observation;

constexpr auto kPresentSpan = std::chrono::minutes(1);
constexpr std::uint32_t kAimedStepsMin = 3;

// On a grid whose last cell holds `now`: what a silent source left out since is missing, not zero.
Result<History> history_until(const Series& series, std::span<const MetricPoint> points, WallTime now) {
    std::vector<Observation> observed;
    for (const MetricPoint& point : points)
        if (point.at <= now) observed.push_back({point.at, point.value});
    if (observed.size() < 2) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("there is no history of {} of group {} yet: import one with `penumbra history import`, "
                                "or wait for measurements",
                                series.metric, series.group.text()));
    }
    History history = TRY(analysis::forecast::on_grid(observed, std::chrono::milliseconds(0)));
    const auto cells = static_cast<std::size_t>((now - history.begin) / history.step) + 1;
    if (cells > limits::kForecastHistoryMax) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("the history of {} of group {} ends too long ago: import a later one", series.metric,
                                series.group.text()));
    }
    history.values.resize(std::max(cells, history.values.size()), std::numeric_limits<double>::quiet_NaN());
    return history;
}

std::vector<model::ForecastPoint> first_steps(const std::vector<ForecastStep>& steps, std::size_t count) {
    std::vector<model::ForecastPoint> points;
    for (const ForecastStep& step : steps) {
        if (points.size() == count) break;
        points.push_back({step.at, step.values});
    }
    return points;
}

std::size_t steps_in(std::chrono::milliseconds span, std::chrono::milliseconds step) {
    return static_cast<std::size_t>(std::max<std::int64_t>(1, span / step));
}

}  // namespace

double present_rate(std::span<const model::KpiWindow> windows) {
    WallTime latest{};
    for (const model::KpiWindow& window : windows)
        latest = std::max(latest, window.begin);
    double requests = 0;
    std::chrono::milliseconds measured{0};
    for (const model::KpiWindow& window : windows) {
        if (window.begin + kPresentSpan <= latest) continue;
        requests += static_cast<double>(window.requests);
        measured += window.length;
    }
    return measured.count() > 0 ? requests * 1000 / static_cast<double>(measured.count()) : 0;
}

Result<model::ForecastView> foretell(const Series& series, std::span<const MetricPoint> points, WallTime now,
                                     double present, const ServiceDays& days) {
    const History history = TRY(history_until(series, points, now));
    const Forecaster forecaster =
        TRY(fit_checked(history, {.offset_changes = days.clock, .special_days = days.special}));
    const std::size_t day = std::min(steps_in(std::chrono::days(1), history.step), limits::kForecastHorizonMax);
    const auto result = forecaster.forecast(day);
    model::ForecastView view{.group = series.group,
                             .metric = series.metric,
                             .quantiles = result.quantiles,
                             .next_hour = first_steps(result.steps, steps_in(std::chrono::hours(1), history.step)),
                             .next_day = first_steps(result.steps, day),
                             .points_used = result.points_used,
                             .present = present,
                             .method = result.explanation};
    // not known yet: said by leaving it out
    if (std::ranges::all_of(result.past_coverage, [](double share) { return std::isfinite(share); }))
        view.past_coverage = result.past_coverage;
    return view;
}

Result<std::vector<double>> aimed_multiples(const model::ForecastAim& aim, const Series& series,
                                            std::span<const MetricPoint> points, WallTime now, double present,
                                            const ServiceDays& days) {
    if (aim.steps < kAimedStepsMin || aim.steps > limits::kLoadStepsMax) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a load trial takes {} to {} steps, not {}",
                                                             kAimedStepsMin, limits::kLoadStepsMax, aim.steps));
    }
    if (!(present > 0)) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("nothing is measured of group {} in production now, so its forecast is a multiple of "
                                "nothing: let its traffic be mirrored first",
                                series.group.text()));
    }
    const History history = TRY(history_until(series, points, now));
    const std::size_t horizon = steps_in(aim.horizon, history.step);
    if (horizon > limits::kForecastHorizonMax) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("a horizon of {} s is too far for a history with a point each {} s: at most {} points",
                        aim.horizon.count(), history.step / std::chrono::seconds(1), limits::kForecastHorizonMax));
    }
    const Forecaster forecaster = TRY(fit_checked(history, ForecastOptions{.quantiles = {aim.quantile},
                                                                           .horizon = horizon,
                                                                           .offset_changes = days.clock,
                                                                           .special_days = days.special}));
    double peak = 0;
    for (const ForecastStep& step : forecaster.forecast(horizon).steps)
        peak = std::max(peak, step.values.front());
    const double top = peak / present;
    if (!(top > 0) || top > limits::kRateMultipleMax) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("the {} quantile of {} of group {} reaches {:.3g} times the present {:.3g}; a replay "
                        "can do up to {} times: choose multiples by hand",
                        aim.quantile, series.metric, series.group.text(), top, present, limits::kRateMultipleMax));
    }
    const double from = top > 1 ? 1 : 0;
    std::vector<double> multiples;
    for (std::uint32_t step = 1; step <= aim.steps; ++step)
        multiples.push_back(from + (top - from) * step / aim.steps);
    return multiples;
}

}  // namespace penumbra::coordinator
