#include "analysis/forecast/backtest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "analysis/forecast/checked_fit.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

namespace {

constexpr std::size_t kDaysBefore = 3;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::size_t steps_a_day(const History& history) {
    return static_cast<std::size_t>(std::chrono::days(1) / history.step);
}

double change_against(std::span<const double> past, std::size_t season) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = season; i < past.size(); ++i) {
        const double change = std::abs(past[i] - past[i - season]);
        if (!std::isfinite(change)) continue;
        sum += change;
        count += 1;
    }
    return count > 0 ? sum / count : 0;
}

double last_known(std::span<const double> past, std::size_t index) {
    while (index > 0 && !std::isfinite(past[index]))
        --index;
    return past[index];
}

/// Quantile of value[i] - value[i - lag] over the last week of the past; 0 where there is none.
double error_quantile(std::span<const double> past, std::size_t lag, std::size_t week, double level) {
    std::vector<double> errors;
    for (std::size_t i = std::max(lag, past.size() > week ? past.size() - week : 0); i < past.size(); ++i) {
        const double error = past[i] - past[i - lag];
        if (std::isfinite(error)) errors.push_back(error);
    }
    if (errors.empty()) return 0;
    std::ranges::sort(errors);
    return statistics::quantile_sorted(errors, level);
}

struct Foretold {
    double middle = kMissing;
    double high = kMissing;
};

std::vector<Foretold> rival_forecast(Rival rival, std::span<const double> past, std::size_t day,
                                     const BacktestOptions& options) {
    std::vector<Foretold> foretold(options.horizon);
    if (rival == Rival::kNaive) {
        const double now = last_known(past, past.size() - 1);
        for (std::size_t k = 0; k < options.horizon; ++k)
            foretold[k] = {now, now + error_quantile(past, k + 1, 7 * day, options.quantile)};
        return foretold;
    }
    const std::size_t season = past.size() >= 21 * day ? 7 * day : day;
    const double away = error_quantile(past, season, 7 * day, options.quantile);
    for (std::size_t k = 0; k < options.horizon; ++k) {
        const double then = last_known(past, past.size() - season + k % season);
        foretold[k] = {then, then + away};
    }
    return foretold;
}

Result<std::vector<Foretold>> own_forecast(const History& past, const BacktestOptions& options) {
    ForecastOptions model = options.model;
    model.quantiles = {0.5, options.quantile};
    model.horizon = options.horizon;
    const ForecastResult result = TRY(fit_checked(past, model)).forecast(options.horizon);
    std::vector<Foretold> foretold;
    for (const ForecastStep& step : result.steps)
        foretold.push_back({step.values[0], step.values[1]});
    return foretold;
}

/// Adds an origin's sums; the averages are taken at the end.
void score(RivalScore& sum, std::span<const Foretold> foretold, std::span<const double> came, double scale,
           double quantile) {
    for (std::size_t k = 0; k < came.size(); ++k) {
        if (!std::isfinite(came[k])) continue;
        sum.mase += std::abs(came[k] - foretold[k].middle) / scale;
        sum.coverage += came[k] <= foretold[k].high ? 1 : 0;
        const double off = came[k] - foretold[k].high;
        sum.pinball += std::max(quantile * off, (quantile - 1) * off) / scale;
    }
}

Result<void> check(const History& history, const BacktestOptions& options) {
    if (options.origins == 0 || options.horizon == 0 || options.horizon > limits::kForecastHorizonMax ||
        !(options.quantile > 0.5 && options.quantile < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a backtest needs an origin, a horizon of 1 to {} steps and a quantile between 0.5 and "
                                "1",
                                limits::kForecastHorizonMax));
    }
    const std::size_t day = steps_a_day(history);
    if (history.values.size() < kDaysBefore * day + options.horizon) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{:.1f} days of history are too few to test {} steps ahead: {} days and the horizon "
                                "are needed",
                                static_cast<double>(history.values.size()) / static_cast<double>(day), options.horizon,
                                kDaysBefore));
    }
    return {};
}

}  // namespace

std::string_view to_string(Rival rival) noexcept {
    switch (rival) {
        case Rival::kForecaster:
            return "penumbra";
        case Rival::kNaive:
            return "naive";
        case Rival::kSeasonalNaive:
            return "seasonal naive";
    }
    return "?";
}

Result<Backtest> backtest(const History& history, const BacktestOptions& asked) {
    if (history.step.count() <= 0 || std::chrono::days(1) < history.step)
        return fail(ErrorCode::kInvalidArgument, "a backtest needs a step of at most a day");
    BacktestOptions options = asked;
    const std::size_t day = steps_a_day(history);
    if (options.horizon == 0) options.horizon = day;
    TRY(check(history, options));
    const std::span values(history.values);
    const std::size_t last = values.size() - options.horizon;
    const std::size_t first = std::min(last, std::max(kDaysBefore * day, values.size() / 2));
    Backtest result{.horizon = options.horizon};
    for (std::size_t i = 0; i < options.origins; ++i) {
        const std::size_t origin = options.origins == 1 ? last : first + (last - first) * i / (options.origins - 1);
        const auto came = values.subspan(origin, options.horizon);
        const double scale = change_against(values.first(origin), day);
        const WallTime at = history.begin + history.step * static_cast<std::int64_t>(origin);
        const auto known = std::ranges::count_if(came, [](double v) { return std::isfinite(v); });
        if (!(scale > 0) || known == 0 || (result.origins > 0 && at == result.last_origin)) continue;
        History past{.begin = history.begin, .step = history.step};
        past.values.assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(origin));
        score(result.scores[0], TRY(own_forecast(past, options)), came, scale, options.quantile);
        for (const Rival rival : {Rival::kNaive, Rival::kSeasonalNaive}) {
            score(result.scores[static_cast<std::size_t>(rival)], rival_forecast(rival, past.values, day, options),
                  came, scale, options.quantile);
        }
        if (result.origins++ == 0) result.first_origin = at;
        result.last_origin = at;
        result.scored += static_cast<std::size_t>(known);
    }
    if (result.scored == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "there is nothing to test: the history never changes from one day to the next, or its second half "
                    "is missing");
    }
    for (RivalScore& score : result.scores) {
        score.mase /= static_cast<double>(result.scored);
        score.coverage /= static_cast<double>(result.scored);
        score.pinball /= static_cast<double>(result.scored);
    }
    return result;
}

}  // namespace penumbra::analysis::forecast
