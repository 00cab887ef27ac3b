// How often lab-v1 errs, by the windows' autocorrelation and their number: prints the table, and holds its worst cells.
// Too long for the gate; error_rates_test.cpp holds single cells of it there.

#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "analysis/judge/lab_v1.hpp"
#include "tests/unit/analysis/judge/simulated_twins.hpp"

namespace penumbra::analysis::judge {
namespace {

using model::VerdictKind;
using testing::Arms;
using testing::TwinSimulation;

constexpr int kRuns = 1000;
constexpr double kAlpha = 0.05;
constexpr double kMargin = 0.2;

struct Rates {
    double fail = 0;
    double pass = 0;
};

/// One KPI at 5 % each way, and no least effect that would do the test's work.
Rates rates(double rho, std::size_t windows, double slowdown) {
    const LabRules rules{.kpis = {{.kpi = Kpi::kResponseTimeMean, .margin = kMargin, .harm_min = 1e-9}},
                         .alpha_fail = kAlpha,
                         .alpha_pass = kAlpha};
    int failed = 0;
    int passed = 0;
    for (std::uint64_t run = 0; run < kRuns; ++run) {
        TwinSimulation twins({.seed = run * 7919 + 11, .noise = 0.18, .rho = rho, .requests = 5});
        const Arms arms = twins.run(windows, {.slowdown = slowdown});
        const auto verdict = judge_twins(rules, {.after = arms.view()});
        failed += verdict->kind == VerdictKind::kFail ? 1 : 0;
        passed += verdict->kind == VerdictKind::kPass ? 1 : 0;
    }
    return {.fail = static_cast<double>(failed) / kRuns, .pass = static_cast<double>(passed) / kRuns};
}

TEST(RatesTable, OfFalseFailsAndFalsePasses) {
    std::string table = "rho     n  false FAIL  false PASS  PASS without effect\n";
    Rates worst;
    for (const double rho : {0.0, 0.5, 0.8, 0.9, 0.95}) {
        for (const std::size_t windows : {30, 60, 120, 240, 480}) {
            const Rates equal = rates(rho, windows, 0);
            const Rates harmed = rates(rho, windows, kMargin);
            worst = {.fail = std::max(worst.fail, equal.fail), .pass = std::max(worst.pass, harmed.pass)};
            table += fmt::format("{:.2f}  {:4}  {:8.1f} %  {:8.1f} %  {:8.1f} %\n", rho, windows, 100 * equal.fail,
                                 100 * harmed.pass, 100 * equal.pass);
        }
    }
    fmt::print("{}worst: false FAIL {:.1f} %, false PASS {:.1f} %, nominal {:.0f} % each\n", table, 100 * worst.fail,
               100 * worst.pass, 100 * kAlpha);
    EXPECT_LE(worst.fail, 0.06);
    EXPECT_LE(worst.pass, 0.06);
}

}  // namespace
}  // namespace penumbra::analysis::judge
