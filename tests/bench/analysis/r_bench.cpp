#include "tests/bench/analysis/r_bench.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "analysis/forecast/forecaster.hpp"
#include "tests/bench/analysis/figure.hpp"

namespace penumbra::bench {

namespace {

using analysis::forecast::Forecaster;
using analysis::forecast::History;

constexpr std::size_t kDay = 288;
constexpr std::size_t kPastDays = 28;
constexpr std::size_t kSeriesPerGroup = 3;
constexpr std::array<const char*, 4> kMethods = {"thetaf", "stlf+ets", "mstl+ets", "mstl+arima"};

/// One series with its last day taken off.
struct Case {
    std::string group;
    std::string name;
    History past;
    std::vector<double> future;
};

/// Evenly spread over the series of each group, in their order.
std::vector<Case> cases_of(const std::vector<Series>& all) {
    std::map<std::string, std::vector<const Series*>> groups;
    for (const Series& series : all) {
        if (series.history.values.size() >= 8 * kDay) groups[series.group].push_back(&series);
    }
    std::vector<Case> cases;
    for (const auto& [group, members] : groups) {
        const std::size_t count = std::min(kSeriesPerGroup, members.size());
        for (std::size_t i = 0; i < count; ++i) {
            const Series& series = *members[i * members.size() / count];
            const std::span values(series.history.values);
            const std::size_t end = values.size() - kDay;
            const std::size_t first = end > kPastDays * kDay ? end - kPastDays * kDay : 0;
            const auto past = values.subspan(first, end - first);
            const auto future = values.subspan(end);
            cases.push_back({.group = group,
                             .name = series.name,
                             .past = {.begin = series.history.begin + series.history.step * static_cast<int>(first),
                                      .step = series.history.step,
                                      .values = {past.begin(), past.end()}},
                             .future = {future.begin(), future.end()}});
        }
    }
    return cases;
}

double season_error(const std::vector<double>& values) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = kDay; i < values.size(); ++i) {
        const double change = std::abs(values[i] - values[i - kDay]);
        if (!std::isfinite(change)) continue;
        sum += change;
        count += 1;
    }
    return count > 0 ? sum / count : NAN;
}

double mase_of(const Case& one) {
    const auto model = Forecaster::fit(one.past, {.horizon = kDay});
    if (!model) return NAN;
    const auto foretold = model->forecast(kDay);
    double sum = 0;
    double count = 0;
    for (std::size_t k = 0; k < kDay; ++k) {
        if (!std::isfinite(one.future[k])) continue;
        sum += std::abs(one.future[k] - foretold.steps[k].values[0]);
        count += 1;
    }
    return sum / count / season_error(one.past.values);
}

using Errors = std::array<double, kMethods.size()>;

/// "group,name,MASE of each method" a line, as r_forecast.R writes them.
std::map<std::pair<std::string, std::string>, Errors> golden() {
    std::map<std::pair<std::string, std::string>, Errors> all;
    std::ifstream input(BENCH_R_FORECAST);
    for (std::string line; std::getline(input, line);) {
        std::istringstream fields(line);
        std::string group;
        std::string name;
        if (line.starts_with('#') || !std::getline(fields, group, ',') || !std::getline(fields, name, ',')) continue;
        Errors errors{};
        for (double& error : errors) {
            std::string field;
            std::getline(fields, field, ',');
            error = std::strtod(field.c_str(), nullptr);
        }
        all[{group, name}] = errors;
    }
    return all;
}

void write_row(std::ofstream& output, const Case& one, const char* part, const std::vector<double>& values) {
    output << one.group << ',' << one.name << ',' << part;
    for (const double value : values)
        output << ',' << (std::isfinite(value) ? fmt::format("{}", value) : "NA");
    output << '\n';
}

}  // namespace

void export_for_r(const std::vector<Series>& all, const std::filesystem::path& file) {
    std::ofstream output(file);
    for (const Case& one : cases_of(all)) {
        write_row(output, one, "past", one.past.values);
        write_row(output, one, "future", one.future);
    }
}

void bench_against_r(const std::vector<Series>& all) {
    struct Sums {
        double ours = 0;
        Errors theirs{};
        std::size_t series = 0;
    };
    const auto errors = golden();
    std::map<std::string, Sums> groups;
    for (const Case& one : cases_of(all)) {
        const auto found = errors.find({one.group, one.name});
        const double ours = found == errors.end() ? NAN : mase_of(one);
        if (!std::isfinite(ours)) continue;
        Sums& group = groups[one.group];
        group.ours += ours;
        for (std::size_t m = 0; m < kMethods.size(); ++m)
            group.theirs[m] += found->second[m];
        ++group.series;
    }
    double geometric = 0;
    for (const auto& [name, group] : groups) {
        const auto best = static_cast<std::size_t>(std::ranges::min_element(group.theirs) - group.theirs.begin());
        const auto count = static_cast<double>(group.series);
        print({.name = "mase24_vs_r",
               .group = name,
               .value = group.ours / group.theirs[best],
               .peer = kMethods[best],
               .peer_value = group.theirs[best] / count,
               .runs = group.series});
        geometric += std::log(group.ours / group.theirs[best]) / static_cast<double>(groups.size());
    }
    if (!groups.empty()) print({.name = "mase24_vs_r", .group = "all", .value = std::exp(geometric)});
}

}  // namespace penumbra::bench
