#include "analysis/judge/lab_v1.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/judge/simulated_twins.hpp"

namespace penumbra::analysis::judge {
namespace {

using model::Verdict;
using model::VerdictKind;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::Arms;
using testing::Effect;
using testing::TwinSimulation;
using testing::TwinWorld;

Verdict judge(const LabRules& rules, const Arms& arms) {
    const auto verdict = judge_twins(rules, {.after = arms.view()});
    EXPECT_TRUE(is_ok(verdict));
    return verdict.value_or(Verdict{});
}

bool says(const Verdict& verdict, std::string_view part) {
    return verdict.reason.find(part) != std::string::npos;
}

TEST(LabV1, EqualTwinsPassWithTheirPowerStated) {
    TwinSimulation twins({.seed = 4, .noise = 0.15});
    const Verdict verdict = judge({}, twins.run(120));
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << verdict.reason;
    EXPECT_EQ(verdict.n, 120U);
    EXPECT_GT(verdict.power, 0.9);
    EXPECT_GT(verdict.effective_n, 60);
    for (const auto& evidence : verdict.evidence)
        EXPECT_LE(evidence.effective_n, 120) << evidence.kpi << " counts windows, not requests";
    ASSERT_EQ(verdict.evidence.size(), 5U);
    EXPECT_EQ(verdict.evidence[0].kpi, "response_time_mean");
    EXPECT_LT(verdict.evidence[0].interval.high, 0.2);
    EXPECT_LE(verdict.evidence[0].interval.low, verdict.evidence[0].effect);
}

TEST(LabV1, ASlowdownOfThirtyPercentFailsAndNamesItsKpi) {
    TwinSimulation twins({.seed = 5, .noise = 0.18});
    const Verdict verdict = judge({}, twins.run(120, {.slowdown = 0.3}));
    EXPECT_EQ(verdict.kind, VerdictKind::kFail) << verdict.reason;
    EXPECT_TRUE(says(verdict, "response_time_mean")) << verdict.reason;
    EXPECT_NEAR(verdict.evidence[0].effect, 0.3, 0.1);
    EXPECT_LT(verdict.evidence[0].p_value, 0.01);
}

TEST(LabV1, FiveSamplesAreInconclusiveAndSayHowManyMore) {
    TwinSimulation twins({.seed = 6});
    const Verdict verdict = judge({}, twins.run(5, {.slowdown = 0.3}));
    EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
    EXPECT_TRUE(says(verdict, "5 pairs of windows")) << verdict.reason;
    ASSERT_TRUE(verdict.more_needed.has_value());
    EXPECT_GE(verdict.more_needed->count(), 25 * 5);
}

TEST(LabV1, ErrorsFailByExactCounts) {
    TwinSimulation twins({.seed = 7, .errors = 0.002});
    const Verdict verdict = judge({}, twins.run(60, {.errors = 0.03}));
    EXPECT_EQ(verdict.kind, VerdictKind::kFail);
    EXPECT_TRUE(says(verdict, "error_rate +")) << verdict.reason;
}

TEST(LabV1, APartitionedArmFailsOnErrorsThoughItHasNoResponseTimes) {
    TwinSimulation twins({.seed = 8});
    Arms arms = twins.run(40);
    for (auto& window : arms.treated) {
        window.requests = 0;
        window.response_time.clear();
        window.ledger = {.captured = 40, .replayed = 0, .lost_connect = 40};
    }
    const Verdict verdict = judge({}, arms);
    EXPECT_EQ(verdict.kind, VerdictKind::kFail) << verdict.reason;
    EXPECT_TRUE(says(verdict, "error_rate +100.00 points")) << verdict.reason;
    EXPECT_EQ(verdict.evidence[0].verdict, VerdictKind::kInconclusive);
}

TEST(LabV1, ABurstOfErrorsIsNotSoManyIndependentOnes) {
    TwinSimulation twins({.seed = 9});
    Arms arms = twins.run(60);
    arms.treated[30].errors = 30;  // 30 of 2400 requests, all in one window
    const Verdict burst = judge({}, arms);
    EXPECT_NE(burst.evidence[2].verdict, VerdictKind::kFail) << burst.evidence[2].reason;
    arms.treated[30].errors = 0;
    for (std::size_t i = 0; i < 60; i += 2)
        arms.treated[i].errors = 1;
    const Verdict spread = judge({}, arms);
    EXPECT_EQ(spread.evidence[2].verdict, VerdictKind::kFail) << spread.evidence[2].reason;
}

TEST(LabV1, AMinorityOfStalledWindowsNeverPasses) {
    // ranks alone would not see it: the median pair is unharmed
    TwinSimulation twins({.seed = 10, .noise = 0.05});
    Arms arms = twins.run(100);
    for (std::size_t i = 0; i < 100; i += 6) {
        for (auto& bucket : arms.treated[i].response_time)
            bucket.value_us *= 100;
    }
    EXPECT_NE(judge({}, arms).kind, VerdictKind::kPass);
}

TEST(LabV1, TheArmsOwnDifferenceIsTakenOffByTheBaseline) {
    TwinSimulation twins({.seed = 11, .noise = 0.1, .bias = 0.12});
    const Arms before = twins.run(120);
    const Arms after = twins.run(120);
    const auto verdict = judge_twins({}, {.before = before.view(), .after = after.view()});
    ASSERT_TRUE(is_ok(verdict));
    EXPECT_EQ(verdict->kind, VerdictKind::kPass) << verdict->reason;
    const Arms worse = twins.run(120, {.slowdown = 0.3});
    EXPECT_EQ(judge_twins({}, {.before = before.view(), .after = worse.view()})->kind, VerdictKind::kFail);
}

TEST(LabV1, ArmsThatDifferedBeforeTheChangeAreInvalid) {
    TwinSimulation twins({.seed = 12, .noise = 0.1, .bias = 0.6});
    const Arms before = twins.run(60);
    const Arms after = twins.run(60, {.slowdown = 0.5});
    const auto verdict = judge_twins({}, {.before = before.view(), .after = after.view()});
    ASSERT_TRUE(is_ok(verdict));
    EXPECT_EQ(verdict->kind, VerdictKind::kInvalid);
    EXPECT_TRUE(says(*verdict, "before the change")) << verdict->reason;
}

TEST(LabV1, LossesThatAreNotTheArmsMakeItInvalidAndAreNamed) {
    TwinSimulation twins({.seed = 13});
    const Arms good = twins.run(60);
    Arms arms = good;
    for (auto& window : arms.treated)
        window.ledger = {.captured = 40, .replayed = 36, .lost_not_sent = 4};
    EXPECT_EQ(judge({}, arms).kind, VerdictKind::kInvalid);
    EXPECT_TRUE(says(judge({}, arms), "10.0 % of the treated arm's exchanges were lost"));
    arms = good;
    for (auto& window : arms.control)
        window.ledger.captured = 20;
    EXPECT_TRUE(says(judge({}, arms), "same input")) << judge({}, arms).reason;
    arms = good;
    for (auto& window : arms.control) {
        window.requests = 0;
        window.ledger = {};
    }
    EXPECT_TRUE(says(judge({}, arms), "control arm was sent no request"));
    arms.control.clear();
    EXPECT_EQ(judge({}, arms).kind, VerdictKind::kInvalid);
}

TEST(LabV1, MissingWindowsAreInconclusiveBelowTheCoverage) {
    TwinSimulation twins({.seed = 14});
    Arms arms = twins.run(100);
    arms.treated.erase(arms.treated.begin() + 20, arms.treated.begin() + 28);
    EXPECT_EQ(judge({}, arms).kind, VerdictKind::kPass) << judge({}, arms).reason;
    arms.treated.erase(arms.treated.begin() + 20, arms.treated.begin() + 28);
    EXPECT_TRUE(says(judge({}, arms), "84 of 100 windows")) << judge({}, arms).reason;
    const auto short_run = judge_twins({}, {.after = arms.view(), .windows_expected = 200});
    EXPECT_TRUE(says(*short_run, "84 of 200 windows"));
}

TEST(LabV1, AGuardTripsWhateverTheTestsSay) {
    TwinSimulation twins({.seed = 15});
    LabRules rules;
    rules.guards = {{.kpi = Kpi::kResponseTimeP95, .limit = 1'000'000, .breaches = 2, .of = 3}};
    Arms arms = twins.run(60);
    EXPECT_EQ(judge(rules, arms).kind, VerdictKind::kPass);
    for (const std::size_t i : {20U, 22U}) {
        for (auto& bucket : arms.treated[i].response_time)
            bucket.value_us *= 1000;
    }
    const Verdict tripped = judge(rules, arms);
    EXPECT_EQ(tripped.kind, VerdictKind::kFail);
    EXPECT_TRUE(says(tripped, "guard: response_time_p95")) << tripped.reason;
    rules.guards[0].breaches = 3;
    EXPECT_NE(judge(rules, arms).kind, VerdictKind::kFail);
}

TEST(LabV1, WindowsMayComeInAnyOrderTwiceAndHalfAWindowApart) {
    TwinSimulation twins({.seed = 16});
    Arms arms = twins.run(60);
    const Verdict straight = judge({}, arms);
    std::ranges::reverse(arms.treated);
    arms.treated.push_back(arms.treated.front());
    for (auto& window : arms.treated)
        window.begin += std::chrono::milliseconds(1200);
    EXPECT_EQ(judge({}, arms), straight);
}

RC_GTEST_PROP(LabV1, TheVerdictDoesNotDependOnTheUnit, (std::uint64_t seed)) {
    TwinSimulation twins({.seed = seed, .noise = 0.2});
    Arms arms = twins.run(60, {.slowdown = 0.1});
    const auto before = *judge_twins({}, {.after = arms.view()});
    for (auto* arm : {&arms.control, &arms.treated}) {
        for (auto& window : *arm) {
            for (auto& bucket : window.response_time)
                bucket.value_us *= 8;
        }
    }
    const auto after = *judge_twins({}, {.after = arms.view()});
    RC_ASSERT(before.kind == after.kind);
    RC_ASSERT(std::abs(before.evidence[0].effect - after.evidence[0].effect) < 1e-9);
}

RC_GTEST_PROP(LabV1, IsDeterministic, (std::uint64_t seed)) {
    TwinSimulation twins({.seed = seed});
    const Arms before = twins.run(40);
    const Arms after = twins.run(40);
    const TwinRun run{.before = before.view(), .after = after.view()};
    RC_ASSERT(*judge_twins({}, run) == *judge_twins({}, run));
}

TEST(LabV1, RulesWithoutMeaningAreRefused) {
    TwinSimulation twins({});
    const Arms arms = twins.run(3);
    const TwinRun run{.after = arms.view()};
    EXPECT_TRUE(fails(judge_twins({.alpha_fail = 0}, run), ErrorCode::kInvalidArgument, "alpha_fail"));
    EXPECT_TRUE(fails(judge_twins({.kpis = {{.margin = -1}}}, run), ErrorCode::kInvalidArgument, "margin"));
    EXPECT_TRUE(fails(judge_twins({.kpis = {{.margin = NAN}}}, run), ErrorCode::kInvalidArgument, "margin"));
    EXPECT_TRUE(fails(judge_twins({.kpis = {{.role = Role::kReported}}}, run), ErrorCode::kInvalidArgument, "decides"));
    EXPECT_TRUE(fails(judge_twins({.guards = {{.breaches = 9, .of = 5}}}, run), ErrorCode::kInvalidArgument, "guard"));
    Arms uneven = arms;
    uneven.treated[1].length = std::chrono::milliseconds(1);
    EXPECT_TRUE(fails(judge_twins({}, {.after = uneven.view()}), ErrorCode::kInvalidArgument, "one length"));
    EXPECT_TRUE(fails(kpi_from_string("latency"), ErrorCode::kInvalidArgument, "response_time_mean"));
    EXPECT_EQ(*kpi_from_string("disk_bytes"), Kpi::kDiskBytes);
}

TEST(LabV1, ConstantAndEmptyAndAbsurdWindowsHaveAnAnswer) {
    TwinSimulation twins({.noise = 0, .drift = 0});
    EXPECT_EQ(judge({}, twins.run(60)).kind, VerdictKind::kPass);
    Arms arms = twins.run(60);
    for (auto& window : arms.treated) {
        window.guest_cpu_share = std::numeric_limits<double>::quiet_NaN();
        window.errors = UINT64_MAX;
        window.response_time = {{.value_us = UINT64_MAX, .count = UINT64_MAX}};
    }
    EXPECT_EQ(judge({}, arms).kind, VerdictKind::kFail);
    EXPECT_EQ(judge_twins({}, {})->kind, VerdictKind::kInvalid);
}

}  // namespace
}  // namespace penumbra::analysis::judge
