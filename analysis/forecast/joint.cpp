#include "analysis/forecast/joint.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "analysis/forecast/checked_fit.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

namespace {

constexpr std::size_t kPathsMax = 200;
/// Levels between which a series' quantile function is straight; those asked for are added.
constexpr std::array<double, 17> kLevels = {0.005, 0.02, 0.05, 0.1, 0.2,  0.3,  0.4,  0.5,  0.6,
                                            0.7,   0.8,  0.85, 0.9, 0.95, 0.98, 0.99, 0.995};
/// Horizons beside one whose errors are ordered with its own, in shares of it.
constexpr std::array<double, 5> kNeighbours = {0.8, 0.9, 1.0, 1.1, 1.2};

/// Errors of one series: a row a past moment, a column a step ahead; NaN where there was no value.
struct Paths {
    std::size_t steps = 0;
    std::vector<double> errors;
    [[nodiscard]] double at(std::size_t path, std::size_t step) const { return errors[path * steps + step]; }
};

Result<void> check(std::span<const History> series) {
    if (series.empty()) return fail(ErrorCode::kInvalidArgument, "a joint forecast needs a series");
    if (series.size() > limits::kJointSeriesMax) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("{} series in one sum: at most {}", series.size(), limits::kJointSeriesMax));
    }
    const auto differs = [&](const History& other) {
        return other.begin != series[0].begin || other.step != series[0].step ||
               other.values.size() != series[0].values.size();
    };
    if (std::ranges::any_of(series, differs)) {
        return fail(ErrorCode::kInvalidArgument, "series that are foretold together must stand on one grid");
    }
    return {};
}

/// Moments of the last third, evenly spread, after which all of the horizon is known.
std::vector<std::size_t> moments_of(std::size_t points, std::size_t steps) {
    const std::size_t first = points * 2 / 3;
    std::vector<std::size_t> moments;
    if (first < 2 || first + steps > points) return moments;
    const std::size_t last = points - steps;
    const std::size_t count = std::min(kPathsMax, last - first + 1);
    for (std::size_t i = 0; i < count; ++i)
        moments.push_back(count == 1 ? first : first + (last - first) * i / (count - 1));
    return moments;
}

Result<Paths> past_paths(const History& history, ForecastOptions options, std::span<const std::size_t> moments,
                         std::size_t steps) {
    Paths paths{.steps = steps, .errors = {}};
    if (moments.empty()) return paths;
    options.quantiles = {0.5};
    History known{.begin = history.begin, .step = history.step};
    known.values.assign(history.values.begin(), history.values.begin() + static_cast<std::ptrdiff_t>(moments.front()));
    auto model = TRY(Forecaster::fit(known, options));
    std::size_t now = moments.front();
    for (const std::size_t moment : moments) {
        for (; now < moment; ++now)
            model.update(history.values[now]);
        const ForecastResult foretold = model.forecast(steps);
        for (std::size_t k = 0; k < steps; ++k)
            paths.errors.push_back(history.values[moment + k] - foretold.steps[k].values[0]);
    }
    return paths;
}

/// Past errors around one horizon: an index each, of those where every series had a value.
std::vector<std::pair<std::size_t, std::size_t>> samples_at(std::span<const Paths> all, std::size_t moments,
                                                            std::size_t step) {
    std::set<std::size_t> near;
    for (const double share : kNeighbours) {
        const auto ahead = static_cast<std::size_t>(std::lround(share * static_cast<double>(step + 1)));
        near.insert(std::clamp<std::size_t>(ahead, 1, all[0].steps) - 1);
    }
    std::vector<std::pair<std::size_t, std::size_t>> samples;
    for (std::size_t path = 0; path < moments; ++path) {
        for (const std::size_t column : near) {
            const auto known = [&](const Paths& paths) { return std::isfinite(paths.at(path, column)); };
            if (std::ranges::all_of(all, known)) samples.emplace_back(path, column);
        }
    }
    return samples;
}

/// Value of a series at level u, straight between its quantiles and flat beyond them.
double value_at(std::span<const double> levels, std::span<const double> values, double u) {
    const auto above = std::ranges::lower_bound(levels, u);
    if (above == levels.begin()) return values.front();
    if (above == levels.end()) return values.back();
    const auto i = static_cast<std::size_t>(above - levels.begin());
    const double part = (u - levels[i - 1]) / (levels[i] - levels[i - 1]);
    return values[i - 1] + part * (values[i] - values[i - 1]);
}

/// Each sample's place in the order of its errors, as a level inside (0, 1); equal errors keep the order of time.
std::vector<double> ranks_of(const Paths& paths, std::span<const std::pair<std::size_t, std::size_t>> samples) {
    std::vector<std::size_t> order(samples.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto error = [&](std::size_t i) { return paths.at(samples[i].first, samples[i].second); };
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return error(a) < error(b); });
    std::vector<double> ranks(samples.size());
    for (std::size_t place = 0; place < order.size(); ++place)
        ranks[order[place]] = (static_cast<double>(place) + 0.5) / static_cast<double>(order.size());
    return ranks;
}

/// The quantile whose sample points stand at (i + 0.5) / n, as ranks do.
double quantile_of(std::span<const double> sorted, double level) {
    const double spot =
        std::clamp(level * static_cast<double>(sorted.size()) - 0.5, 0.0, static_cast<double>(sorted.size() - 1));
    const auto below = static_cast<std::size_t>(spot);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (spot - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// Every series at its own dense levels.
struct Dense {
    std::vector<double> levels;
    std::vector<ForecastResult> each;
};

std::vector<double> sum_at(const Dense& dense, std::span<const Paths> paths, std::size_t moments, std::size_t step,
                           std::span<const double> asked) {
    const auto samples = samples_at(paths, moments, step);
    std::vector<double> result;
    if (samples.size() < kPathsMin) {
        for (const double level : asked) {
            result.push_back(0);
            for (const ForecastResult& one : dense.each)
                result.back() += value_at(dense.levels, one.steps[step].values, level);
        }
        return result;
    }
    std::vector<double> sums(samples.size());
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const auto ranks = ranks_of(paths[i], samples);
        for (std::size_t s = 0; s < sums.size(); ++s)
            sums[s] += value_at(dense.levels, dense.each[i].steps[step].values, ranks[s]);
    }
    std::ranges::sort(sums);
    for (const double level : asked)
        result.push_back(quantile_of(sums, level));
    return result;
}

/// What was asked for out of a forecast with more levels.
ForecastResult only(ForecastResult result, std::span<const double> asked) {
    std::vector<std::size_t> places;
    for (const double level : asked)
        places.push_back(
            static_cast<std::size_t>(std::ranges::find(result.quantiles, level) - result.quantiles.begin()));
    const auto pick = [&](std::vector<double>& values) {
        std::vector<double> picked;
        for (const std::size_t place : places)
            picked.push_back(values[place]);
        values = std::move(picked);
    };
    pick(result.quantiles);
    pick(result.past_coverage);
    for (ForecastStep& step : result.steps)
        pick(step.values);
    return result;
}

}  // namespace

Result<JointForecast> forecast_together(std::span<const History> series, const ForecastOptions& options,
                                        std::size_t steps) {
    TRY(check(series));
    ForecastOptions dense_options = options;
    dense_options.horizon = std::max(options.horizon, steps);
    std::set<double> levels(options.quantiles.begin(), options.quantiles.end());
    levels.insert(kLevels.begin(), kLevels.end());
    dense_options.quantiles.assign(levels.begin(), levels.end());
    const auto moments = moments_of(series[0].values.size(), steps);
    Dense dense{.levels = dense_options.quantiles, .each = {}};
    std::vector<Paths> paths;
    for (const History& history : series) {
        dense.each.push_back(TRY(fit_checked(history, dense_options)).forecast(steps));
        paths.push_back(TRY(past_paths(history, dense_options, moments, steps)));
    }
    JointForecast result{.paths = moments.size()};
    for (std::size_t k = 0; k < steps; ++k)
        result.sum.push_back(
            {.at = dense.each[0].steps[k].at, .values = sum_at(dense, paths, moments.size(), k, options.quantiles)});
    for (ForecastResult& one : dense.each)
        result.each.push_back(only(std::move(one), options.quantiles));
    result.explanation =
        moments.size() < kPathsMin
            ? fmt::format("sum of {} series that are taken to rise together: the history is too short to say more",
                          series.size())
            : fmt::format("sum of {} series by the order of their errors at {} moments of the last third",
                          series.size(), moments.size());
    return result;
}

}  // namespace penumbra::analysis::forecast
