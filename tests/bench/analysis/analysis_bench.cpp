// Figures of the mathematics, a JSON line each: analysis_bench [--data DIR] [--only PART] [--back DAYS] [--every N]
// [--export FILE]
//   --data DIR   folder of public series (forecast/m4_hourly, ...); without it, series are generated from a seed
//   --only PART  hourly, five_minutes, online, r, plan, capacity, cost or judge
//   --back DAYS  moves every origin so many days into the past: what a model is tuned on must not be what is reported
//   --every N    takes each Nth series only
//   --export FILE  writes the series that R is given (r_forecast.R), and does nothing else

#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "tests/bench/analysis/capacity_bench.hpp"
#include "tests/bench/analysis/forecast_bench.hpp"
#include "tests/bench/analysis/generated_bench_series.hpp"
#include "tests/bench/analysis/judge_bench.hpp"
#include "tests/bench/analysis/plan_bench.hpp"
#include "tests/bench/analysis/r_bench.hpp"
#include "tests/bench/analysis/series_files.hpp"

namespace {

using penumbra::bench::Series;

struct Options {
    std::string data;
    std::string only;
    std::string export_file;
    std::size_t back_days = 0;
    std::size_t every = 1;
};

/// Cuts the last days off; what follows an hourly series is cut from its own end then.
std::vector<Series> prepared(std::vector<Series> all, const Options& options) {
    std::vector<Series> result;
    for (std::size_t i = 0; i < all.size(); i += options.every) {
        Series series = std::move(all[i]);
        auto& values = series.history.values;
        const auto day = static_cast<std::size_t>(std::chrono::days(1) / series.history.step);
        const std::size_t cut = options.back_days * day;
        if (cut > 0 && !series.future.empty()) {
            values.insert(values.end(), series.future.begin(), series.future.end());
            if (values.size() < cut + series.future.size() + 8 * day) continue;
            const auto origin = values.end() - static_cast<std::ptrdiff_t>(cut + series.future.size());
            series.future.assign(origin, origin + static_cast<std::ptrdiff_t>(series.future.size()));
            values.erase(origin, values.end());
        } else if (cut > 0) {
            if (values.size() < cut + 8 * day) continue;
            values.resize(values.size() - cut);
        }
        result.push_back(std::move(series));
    }
    return result;
}

void run(const Options& options) {
    const auto wanted = [&](const char* part) { return options.only.empty() || options.only == part; };
    const bool generated = options.data.empty();
    if (wanted("hourly")) {
        const auto all = generated ? penumbra::bench::generated_hourly() : penumbra::bench::load_m4(options.data);
        penumbra::bench::bench_hourly(prepared(all, options));
    }
    if (wanted("five_minutes") || wanted("online") || wanted("plan") || wanted("r") || !options.export_file.empty()) {
        const auto all = prepared(
            generated ? penumbra::bench::generated_five_minutes() : penumbra::bench::load_five_minutes(options.data),
            options);
        if (!options.export_file.empty()) {
            penumbra::bench::export_for_r(all, options.export_file);
            return;
        }
        if (wanted("r")) penumbra::bench::bench_against_r(all);
        if (wanted("five_minutes")) penumbra::bench::bench_five_minutes(all);
        if (wanted("online")) penumbra::bench::bench_online(all);
        if (wanted("plan")) penumbra::bench::bench_plan(all);
    }
    if (wanted("capacity")) penumbra::bench::bench_capacity();
    if (wanted("cost")) penumbra::bench::bench_cost();
    if (wanted("judge")) penumbra::bench::bench_judge();
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (value != nullptr && name == "--data") {
            options.data = value;
        } else if (value != nullptr && name == "--only") {
            options.only = value;
        } else if (value != nullptr && name == "--export") {
            options.export_file = value;
            options.only = "r";
        } else if (value != nullptr && name == "--back") {
            options.back_days = std::strtoul(value, nullptr, 10);
        } else if (value != nullptr && name == "--every" && std::strtoul(value, nullptr, 10) > 0) {
            options.every = std::strtoul(value, nullptr, 10);
        } else {
            fmt::print(stderr, "usage: {} [--data DIR] [--only PART] [--back DAYS] [--every N] [--export FILE]\n",
                       argv[0]);
            return 2;
        }
    }
    run(options);
    return 0;
}
