#include "tests/bench/analysis/forecast_bench.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "analysis/forecast/forecaster.hpp"
#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"
#include "tests/bench/analysis/figure.hpp"

namespace penumbra::bench {

namespace {

using analysis::forecast::Forecaster;
using analysis::forecast::History;

void figure(std::string_view name, const std::string& group, double value, std::string_view unit) {
    print({.name = name, .group = group, .value = value, .unit = unit});
}

/// Mean absolute change against the same time one season before: what MASE divides by.
double season_error(const std::vector<double>& values, std::size_t season) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = season; i < values.size(); ++i) {
        if (!std::isfinite(values[i]) || !std::isfinite(values[i - season])) continue;
        sum += std::abs(values[i] - values[i - season]);
        count += 1;
    }
    return count > 0 ? sum / count : 0;
}

struct GroupErrors {
    std::array<double, 2> ours{};  ///< first hour, 24 hours
    std::array<double, 2> naive{};
    std::array<double, 2> seasonal{};
    double fit_s = 0;
    double fits = 0;
    double windows = 0;
};

double filled(const std::vector<double>& values, std::size_t index) {
    while (index > 0 && !std::isfinite(values[index]))
        --index;
    return std::isfinite(values[index]) ? values[index] : 0;
}

/// 95 % quantile of the last seven days' errors, at five minutes.
double rolling_quantile(const std::vector<double>& errors) {
    std::vector<double> recent(errors.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(errors.size(), 2016)),
                               errors.end());
    std::ranges::sort(recent);
    return analysis::statistics::quantile_sorted(recent, 0.95);
}

}  // namespace

void bench_hourly(const std::vector<Series>& all) {
    double smape = 0;
    double mase = 0;
    double msis = 0;
    double pin95 = 0;
    double up95 = 0;
    std::vector<double> mases;
    const double begin = cpu_seconds();
    for (const Series& series : all) {
        const auto model = Forecaster::fit(series.history, {.quantiles = {0.025, 0.5, 0.95, 0.975}, .horizon = 48});
        const auto forecast = model->forecast(48);
        const double scale = season_error(series.history.values, 24);
        double error = 0;
        for (std::size_t k = 0; k < 48; ++k) {
            const double y = series.future[k];
            const auto& q = forecast.steps[k].values;
            smape += 200 * std::abs(y - q[1]) / (std::abs(y) + std::abs(q[1])) / 48;
            error += std::abs(y - q[1]) / 48;
            const double width = q[3] - q[0] + 40 * (std::max(0.0, q[0] - y) + std::max(0.0, y - q[3]));
            msis += width / scale / 48;
            pin95 += pinball(y, q[2], 0.95) / scale / 48;
            up95 += y <= q[2] ? 1.0 / 48 : 0;
        }
        mases.push_back(error / scale);
        mase += error / scale;
    }
    const auto n = static_cast<double>(all.size());
    figure("fit_hourly_ms", "m4", (cpu_seconds() - begin) * 1000 / n, "ms");
    figure("m4_smape", "", smape / n, "%");
    figure("m4_mase", "", mase / n, "1");
    figure("m4_mase_median", "", analysis::statistics::median(mases), "1");
    figure("m4_owa", "", 0.5 * (smape / n / 18.383 + mase / n / 2.395), "1");
    figure("m4_msis", "", msis / n, "1");
    figure("m4_pinball95", "", pin95 / n, "1");
    figure("m4_coverage95", "", up95 / n, "1");
}

void bench_five_minutes(const std::vector<Series>& all) {
    std::map<std::string, GroupErrors> groups;
    for (const Series& series : all) {
        const auto& values = series.history.values;
        for (std::size_t day = 1; day <= 3; ++day) {
            const std::size_t end = values.size() - 288 * day;
            const std::size_t first = end > 42 * 288 ? end - 42 * 288 : 0;
            if (end - first < 4 * 288) continue;
            History past{.begin = series.history.begin + series.history.step * static_cast<int>(first),
                         .step = series.history.step,
                         .values = {values.begin() + static_cast<std::ptrdiff_t>(first),
                                    values.begin() + static_cast<std::ptrdiff_t>(end)}};
            const double scale = season_error(past.values, 288);
            if (!(scale > 0)) continue;
            GroupErrors& group = groups[series.group];
            const double begin = cpu_seconds();
            const auto model = Forecaster::fit(past, {.horizon = 288});
            const auto forecast = model->forecast(288);
            group.fit_s += cpu_seconds() - begin;
            group.fits += 1;
            std::array<double, 3> sums{};
            double count = 0;
            const double last = filled(past.values, past.values.size() - 1);
            const auto take = [&](std::size_t which) {
                group.ours[which] += sums[0] / count / scale;
                group.naive[which] += sums[1] / count / scale;
                group.seasonal[which] += sums[2] / count / scale;
            };
            for (std::size_t k = 0; k < 288; ++k) {
                const double y = values[end + k];
                if (std::isfinite(y)) {
                    sums[0] += std::abs(y - forecast.steps[k].values[0]);
                    sums[1] += std::abs(y - last);
                    sums[2] += std::abs(y - filled(past.values, past.values.size() - 288 + k));
                    count += 1;
                }
                if (k == 11 && count > 0) take(0);
            }
            if (count > 0) take(1);
            group.windows += 1;
        }
    }
    std::array<double, 2> geometric{};
    for (const auto& [name, group] : groups) {
        for (std::size_t w = 0; w < 2; ++w) {
            const double ratio = group.ours[w] / std::min(group.naive[w], group.seasonal[w]);
            figure(w == 0 ? "mase1_vs_naive" : "mase24_vs_naive", name, ratio, "1");
            figure(w == 0 ? "mase1" : "mase24", name, group.ours[w] / group.windows, "1");
            geometric[w] += std::log(ratio) / static_cast<double>(groups.size());
        }
        figure("fit_5min_ms", name, group.fit_s * 1000 / group.fits, "ms");
    }
    figure("mase1_vs_naive", "all", std::exp(geometric[0]), "1");
    figure("mase24_vs_naive", "all", std::exp(geometric[1]), "1");
}

void bench_online(const std::vector<Series>& all) {
    struct Online {
        double covered = 0;
        double count = 0;
        double pin = 0;
        double pin_rolling = 0;
        double in_band = 0;
        double series = 0;
    };
    std::map<std::string, Online> groups;
    for (const Series& series : all) {
        const auto& values = series.history.values;
        // a week online before what is scored, so that the peer has all the errors it would use
        const std::size_t online = std::min<std::size_t>(10 * 288, values.size() - 4 * 288);
        const std::size_t end = values.size() - online;
        const std::size_t scored = values.size() - 3 * 288;
        const std::size_t first = end > 42 * 288 ? end - 42 * 288 : 0;
        History past{.begin = series.history.begin + series.history.step * static_cast<int>(first),
                     .step = series.history.step,
                     .values = {values.begin() + static_cast<std::ptrdiff_t>(first),
                                values.begin() + static_cast<std::ptrdiff_t>(end)}};
        const double scale = season_error(past.values, 288);
        if (!(scale > 0)) continue;
        auto model = Forecaster::fit(past, {.quantiles = {0.5, 0.95}, .horizon = 12});
        if (!model) continue;
        Online& group = groups[series.group];
        double covered = 0;
        double count = 0;
        // the peer: the same medians, with the 95 % quantile of their errors over seven days
        std::vector<double> errors;
        std::vector<std::pair<double, double>> foretold(values.size(), {NAN, NAN});
        for (std::size_t i = end; i < values.size(); ++i) {
            const auto at_hour = model->forecast(12).steps[11].values;
            if (i + 11 < values.size()) foretold[i + 11] = {at_hour[0], at_hour[1]};
            model->update(values[i]);
            if (!std::isfinite(values[i]) || !std::isfinite(foretold[i].first)) continue;
            // after a gap the peer may have seen no error yet: then there is nothing to compare
            if (i >= scored && !errors.empty()) {
                group.pin_rolling += pinball(values[i], foretold[i].first + rolling_quantile(errors), 0.95) / scale;
                group.pin += pinball(values[i], foretold[i].second, 0.95) / scale;
            }
            errors.push_back(values[i] - foretold[i].first);
            if (i < scored) continue;
            covered += values[i] <= foretold[i].second ? 1 : 0;
            count += 1;
        }
        if (count == 0) continue;
        group.covered += covered;
        group.count += count;
        group.in_band += covered / count >= 0.93 && covered / count <= 0.97 ? 1 : 0;
        group.series += 1;
    }
    double in_band = 0;
    double series = 0;
    double geometric = 0;
    for (const auto& [name, group] : groups) {
        figure("q95_coverage", name, group.covered / group.count, "1");
        figure("q95_series_in_band", name, group.in_band / group.series, "1");
        figure("q95_pinball_vs_rolling", name, group.pin / group.pin_rolling, "1");
        geometric += std::log(group.pin / group.pin_rolling) / static_cast<double>(groups.size());
        in_band += group.in_band;
        series += group.series;
    }
    figure("q95_series_in_band", "all", in_band / series, "1");
    figure("q95_pinball_vs_rolling", "all", std::exp(geometric), "1");
}

void bench_cost() {
    History history{.step = std::chrono::minutes(5)};
    analysis::Random random(1);
    for (int i = 0; i < 12'096; ++i)
        history.values.push_back(100 + 50 * std::sin(i * 2 * M_PI / 288) + 5 * random.normal());
    double begin = cpu_seconds();
    auto model = *Forecaster::fit(history, {.horizon = 576});
    (void)model.forecast(576);
    figure("fit_5min_ms", "generated", (cpu_seconds() - begin) * 1000, "ms");
    begin = cpu_seconds();
    for (int i = 0; i < 500; ++i) {
        model.update(100);
        (void)model.forecast(288);
    }
    figure("tick_10k_cpu_s", "generated", (cpu_seconds() - begin) * 20, "s");
    figure("state_kb", "generated", static_cast<double>(model.save().size()) / 1024, "KiB");
}

}  // namespace penumbra::bench
