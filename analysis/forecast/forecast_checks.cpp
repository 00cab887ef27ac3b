#include "analysis/forecast/forecast_checks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

bool divides_a_day(std::chrono::milliseconds step) noexcept {
    return step.count() > 0 && std::chrono::milliseconds(std::chrono::days(1)) % step == std::chrono::milliseconds(0);
}

bool is_inside(double quantile) noexcept {
    return quantile > 0 && quantile < 1;
}

Result<void> check_clock(const ForecastOptions& options) {
    if (options.offset_changes.size() > limits::kOffsetChangesMax ||
        options.special_days.size() > limits::kSpecialDaysMax) {
        return fail(ErrorCode::kResourceExhausted, fmt::format("at most {} changes of the clock and {} special days",
                                                               limits::kOffsetChangesMax, limits::kSpecialDaysMax));
    }
    const auto far = [](std::chrono::minutes offset) { return std::chrono::abs(offset) > std::chrono::days(1); };
    if (far(options.utc_offset) || std::ranges::any_of(options.offset_changes, far, &OffsetChange::offset) ||
        !std::ranges::is_sorted(options.offset_changes, std::less_equal<>{}, &OffsetChange::at)) {
        return fail(ErrorCode::kInvalidArgument,
                    "a clock is at most a day ahead of UTC or behind it, and its changes rise in time");
    }
    if (!std::ranges::is_sorted(options.special_days, std::less_equal<>{}, &SpecialDay::date)) {
        return fail(ErrorCode::kInvalidArgument, "special days must rise in time, each date once");
    }
    return {};
}

Result<void> check(const History& history, const ForecastOptions& options) {
    if (!divides_a_day(history.step)) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("a step of {} ms does not divide a day: resample the metric first", history.step.count()));
    }
    if (history.values.size() > limits::kForecastHistoryMax || options.horizon > limits::kForecastHorizonMax) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("{} points and {} steps ahead: at most {} and {}", history.values.size(),
                                options.horizon, limits::kForecastHistoryMax, limits::kForecastHorizonMax));
    }
    if (std::ranges::any_of(history.values, [](double v) { return std::isinf(v); })) {
        return fail(ErrorCode::kInvalidArgument, "the history has an infinite value: leave it out");
    }
    if (std::ranges::count_if(history.values, [](double v) { return std::isfinite(v); }) < 2) {
        return fail(ErrorCode::kInvalidArgument, "a forecast needs at least 2 values");
    }
    if (options.quantiles.empty() || !std::ranges::all_of(options.quantiles, is_inside) ||
        !std::ranges::is_sorted(options.quantiles) || !(options.lowest < options.highest)) {
        return fail(ErrorCode::kInvalidArgument,
                    "forecast quantiles must rise between 0 and 1, and lowest lie below highest");
    }
    return check_clock(options);
}

}  // namespace penumbra::analysis::forecast
