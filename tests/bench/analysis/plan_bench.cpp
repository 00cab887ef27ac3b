#include "tests/bench/analysis/plan_bench.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "analysis/capacity/plan_backtest.hpp"
#include "analysis/capacity/scaling_plan.hpp"
#include "tests/bench/analysis/figure.hpp"

namespace penumbra::bench {

namespace {

using analysis::capacity::announce_rises;
using analysis::capacity::Foresight;
using analysis::capacity::mean_foresight;
using analysis::capacity::oracle_foresight;
using analysis::capacity::periodic_foresight;
using analysis::capacity::PlanOptions;
using analysis::capacity::reactive_foresight;
using analysis::capacity::replay_plan;
using analysis::capacity::RiseRule;
using analysis::capacity::ScalingPlanner;
using analysis::capacity::score_announcements;
using namespace std::chrono_literals;

constexpr std::size_t kDay = 288;
constexpr std::size_t kScored = 3 * kDay;
constexpr std::size_t kHorizon = 24;  ///< slots foreseen: what announcements look through
constexpr std::size_t kPlanned = 12;  ///< of them, what a plan looks through
constexpr std::size_t kLead = 3;
constexpr double kInstancesAtPeak = 50;  ///< fine enough that the rounding to whole instances decides nothing

/// One series with what was foretold in each of its scored slots.
struct Case {
    std::vector<double> load;
    std::size_t from = 0;
    double peak = 0;             ///< of what is known before
    std::vector<double> upper;   ///< kHorizon of the 95 % quantile a slot
    std::vector<double> middle;  ///< and of the median
};

Foresight stored(const Case& one, const std::vector<double>& paths) {
    return [&one, &paths](std::size_t now, std::span<double> expected) {
        const auto first = paths.begin() + static_cast<std::ptrdiff_t>((now - one.from) * kHorizon);
        std::copy_n(first, expected.size(), expected.begin());
    };
}

/// Foretells the scored days slot by slot; false for a series too short to have a same time last week.
bool foretell(const Series& series, Case& one) {
    const auto& values = series.history.values;
    if (values.size() < kScored + 8 * kDay) return false;
    one.load = values;
    for (double& value : one.load)
        value = std::max(value, 0.0);  // keeps NaN: it is the first argument
    one.from = values.size() - kScored;
    const std::size_t first = one.from > 42 * kDay ? one.from - 42 * kDay : 0;
    for (std::size_t i = first; i < one.from; ++i)
        one.peak = std::isfinite(values[i]) ? std::max(one.peak, values[i]) : one.peak;
    analysis::forecast::History past{.begin = series.history.begin + series.history.step * static_cast<int>(first),
                                     .step = series.history.step,
                                     .values = {values.begin() + static_cast<std::ptrdiff_t>(first),
                                                values.begin() + static_cast<std::ptrdiff_t>(one.from)}};
    auto model = analysis::forecast::Forecaster::fit(past, {.quantiles = {0.5, 0.95}, .horizon = kHorizon});
    if (!model || !(one.peak > 0)) return false;
    for (std::size_t i = one.from; i < values.size(); ++i) {
        for (const auto& step : model->forecast(kHorizon).steps) {
            one.middle.push_back(step.values[0]);
            one.upper.push_back(step.values[1]);
        }
        model->update(values[i]);
    }
    return true;
}

ScalingPlanner planner_for(const Case& one) {
    PlanOptions options{.sizes = {{.vcpus = 1, .per_second = one.peak / kInstancesAtPeak}},
                        .hosts = {.vcpus = 1000, .count = 1}};
    options.policy.hosts_may_fail = 0;
    return *ScalingPlanner::make(options);
}

struct Mean {
    double under = 0;
    double spare = 0;
    double unserved = 0;
};

template <class MakeForesight>
Mean mean_score(const std::vector<Case>& cases, double factor, MakeForesight&& make) {
    Mean mean;
    const auto n = static_cast<double>(cases.size());
    for (const Case& one : cases) {
        const auto score = replay_plan(
            planner_for(one), {.load = one.load, .step = 5min, .from = one.from, .horizon = kPlanned, .factor = factor},
            make(one));
        if (!score) continue;
        mean.under += score->underprovisioned_share / n;
        mean.spare += score->spare_share / n;
        mean.unserved += score->unserved_share / n;
    }
    return mean;
}

/// The same with the factor at which as much is spare.
template <class MakeForesight>
Mean at_equal_spare(const std::vector<Case>& cases, double spare, MakeForesight&& make) {
    double low = 0.1;
    double high = 10;
    for (int i = 0; i < 14; ++i) {
        const double middle = std::sqrt(low * high);
        (mean_score(cases, middle, make).spare < spare ? low : high) = middle;
    }
    return mean_score(cases, high, make);
}

struct Rises {
    double rises = 0;
    double in_time = 0;
    double false_ones = 0;
    double days = 0;
    template <class MakeForesight>
    void add(const Case& one, double damped, MakeForesight&& make) {
        const RiseRule rule{.least = 0.05 * one.peak};
        const RiseRule sooner{.factor = 1 + damped * (rule.factor - 1), .least = damped * rule.least};
        const auto said = announce_rises(one.load, one.from, kLead, kHorizon, sooner, make(one));
        const auto score = score_announcements(one.load, one.from, kLead, rule, said);
        rises += static_cast<double>(score.rises);
        in_time += static_cast<double>(score.in_time);
        false_ones += static_cast<double>(score.false_ones);
        days += static_cast<double>(one.load.size() - one.from) / kDay;
    }
};

void row(std::string_view name, const std::string& group, double value, std::string_view peer, double peer_value,
         std::size_t runs, std::string_view unit = "1") {
    print({.name = name,
           .group = group,
           .value = value,
           .unit = unit,
           .peer = peer,
           .peer_value = peer_value,
           .runs = runs});
}

void bench_group(const std::string& group, const std::vector<Case>& cases) {
    const auto plan = [](const Case& one) { return stored(one, one.upper); };
    const auto last_week = [](const Case& one) { return periodic_foresight(one.load, 7 * kDay); };
    const auto reactive = [](const Case& one) { return reactive_foresight(one.load); };
    const auto oracle = [](const Case& one) { return oracle_foresight(one.load); };
    const Mean ours = mean_score(cases, 1, plan);
    const Mean knows = mean_score(cases, 1, oracle);
    const Mean repeats = at_equal_spare(cases, ours.spare, last_week);
    const Mean reacts = at_equal_spare(cases, ours.spare, reactive);
    const std::size_t runs = cases.size();
    row("plan_underprovisioned_share", group, ours.under, "same_time_last_week_at_equal_spare", repeats.under, runs);
    row("plan_underprovisioned_share", group, ours.under, "reactive_at_equal_spare", reacts.under, runs);
    row("plan_underprovisioned_share", group, ours.under, "oracle", knows.under, runs);
    row("plan_unserved_share", group, ours.unserved, "same_time_last_week_at_equal_spare", repeats.unserved, runs);
    row("plan_spare_share", group, ours.spare, "oracle", knows.spare, runs);
    row("plan_spare_share", group, ours.spare, "same_time_last_week_at_equal_spare", repeats.spare, runs);
    const auto both = [](const Case& one) {
        return mean_foresight(stored(one, one.middle), periodic_foresight(one.load, 7 * kDay));
    };
    Rises foretold;
    Rises weekly;
    for (const Case& one : cases) {
        // a mean rises by less than one day does; so both say about as much that is false
        foretold.add(one, 0.7, both);
        weekly.add(one, 1, last_week);
    }
    row("plan_rises_in_time_share", group, foretold.in_time / foretold.rises, "same_time_last_week",
        weekly.in_time / weekly.rises, static_cast<std::size_t>(foretold.rises));
    row("plan_false_announcements_a_day", group, foretold.false_ones / foretold.days, "same_time_last_week",
        weekly.false_ones / weekly.days, runs, "1/d");
}

}  // namespace

void bench_plan(const std::vector<Series>& all) {
    std::map<std::string, std::vector<Case>> groups;
    for (const Series& series : all) {
        Case one;
        if (foretell(series, one)) groups[series.group].push_back(std::move(one));
    }
    std::vector<Case> whole;
    for (const auto& [group, cases] : groups) {
        bench_group(group, cases);
        whole.insert(whole.end(), cases.begin(), cases.end());
    }
    bench_group("all", whole);
}

}  // namespace penumbra::bench
