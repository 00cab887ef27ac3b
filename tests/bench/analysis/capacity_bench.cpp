#include "tests/bench/analysis/capacity_bench.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/capacity/queueing_fit.hpp"
#include "analysis/statistics/sample.hpp"
#include "tests/bench/analysis/figure.hpp"
#include "tests/unit/analysis/capacity/simulated_server.hpp"

namespace penumbra::bench {

namespace {

using analysis::capacity::predict_queue;
using analysis::capacity::testing::ServerKind;

constexpr std::uint64_t kHindcasts = 25;  ///< of each kind, before what is scored
constexpr std::uint64_t kScored = 75;
constexpr std::size_t kRequests = 6000;  ///< a load step

struct Kind {
    std::string name;
    std::vector<double> errors;
    double covered = 0;          ///< by the interval with hindcasts
    double covered_without = 0;  ///< and with the fit's own residuals only
    double width = 0;

    void print_rows() {
        std::ranges::sort(errors);
        const auto n = static_cast<double>(errors.size());
        const auto row = [&](std::string_view figure, double value) {
            print({.name = figure, .group = name, .value = value, .runs = errors.size()});
        };
        row("capacity_error_p90", analysis::statistics::quantile_sorted(errors, 0.9));
        row("capacity_error_median", analysis::statistics::quantile_sorted(errors, 0.5));
        row("capacity_coverage90", covered / n);
        row("capacity_coverage90_without_hindcasts", covered_without / n);
        row("capacity_interval_width", width / n);
    }
    void add(const Kind& other) {
        errors.insert(errors.end(), other.errors.begin(), other.errors.end());
        covered += other.covered;
        covered_without += other.covered_without;
        width += other.width;
    }
};

}  // namespace

void bench_capacity() {
    const std::vector<std::pair<ServerKind, std::string>> kinds = {
        {ServerKind::kParallel, "mmc"}, {ServerKind::kStretched, "usl"}, {ServerKind::kContended, "contention"}};
    std::vector<double> before;
    std::vector<Kind> scored;
    for (const auto& [kind, name] : kinds)
        scored.push_back({.name = name});
    for (std::uint64_t seed = 1; seed <= kHindcasts + kScored; ++seed) {
        std::vector<double> errors;
        for (std::size_t k = 0; k < kinds.size(); ++k) {
            const auto made = analysis::capacity::testing::riddle(kinds[k].first, seed, kRequests);
            const double truth = analysis::capacity::testing::true_limit(made.truth, made.servers, 0.95,
                                                                         made.response_s, 5 * kRequests, seed);
            const auto ask = [&](std::span<const double> past) {
                return predict_queue({.points = made.points,
                                      .servers = made.servers,
                                      .response_s = made.response_s,
                                      .past_errors = past});
            };
            const auto answer = ask(before);
            const auto bare = ask({});
            if (!answer || !bare) continue;
            // relative to what was said, as the interval is
            errors.push_back(std::abs(truth / answer->per_second - 1));
            if (seed <= kHindcasts) continue;
            const auto holds = [&](const model::Interval& interval) {
                return interval.low <= truth && truth <= interval.high ? 1.0 : 0.0;
            };
            scored[k].errors.push_back(std::abs(answer->per_second / truth - 1));
            scored[k].covered += holds(answer->interval);
            scored[k].covered_without += holds(bare->interval);
            scored[k].width += (answer->interval.high - answer->interval.low) / truth;
        }
        if (seed <= kHindcasts) before.insert(before.end(), errors.begin(), errors.end());
    }
    Kind all{.name = "all"};
    for (auto& kind : scored) {
        all.add(kind);
        kind.print_rows();
    }
    all.print_rows();
}

}  // namespace penumbra::bench
