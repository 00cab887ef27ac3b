// Each rule that keeps the judge honest, alone: take the rule out, and one of these fails. How often whole runs err is
// in error_rates_test.cpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/judge/aa_bank.hpp"
#include "analysis/judge/abort_guard.hpp"
#include "analysis/judge/block_test.hpp"
#include "analysis/judge/evidence.hpp"
#include "analysis/judge/lab_v1.hpp"
#include "analysis/judge/reliability.hpp"
#include "analysis/judge/remediation.hpp"
#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"
#include "analysis/statistics/sign_flip.hpp"
#include "analysis/statistics/wilcoxon.hpp"
#include "base/limits/analysis.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/judge/simulated_twins.hpp"

namespace penumbra::analysis::judge {
namespace {

using model::Verdict;
using model::VerdictKind;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::Arms;
using testing::TwinSimulation;

Verdict judge(const LabRules& rules, const TwinRun& run) {
    const auto verdict = judge_twins(rules, run);
    EXPECT_TRUE(is_ok(verdict));
    return verdict.value_or(Verdict{});
}

bool says(const Verdict& verdict, std::string_view part) {
    return verdict.reason.find(part) != std::string::npos;
}

bool refused(const LabRules& rules, std::string_view part) {
    TwinSimulation twins({});
    const Arms arms = twins.run(3);
    return fails(judge_twins(rules, {.after = arms.view()}), ErrorCode::kInvalidArgument, part);
}

TEST(JudgeRules, RulesWithoutMeaningAreRefused) {
    EXPECT_TRUE(refused({.alpha_pass = 0}, "alpha_pass"));
    EXPECT_TRUE(refused({.alpha_pass = 0.5}, "alpha_pass"));
    EXPECT_TRUE(refused({.kpis = {{.margin = 0}}}, "margin"));
    EXPECT_TRUE(refused({.kpis = {{.margin = INFINITY}}}, "margin"));
    EXPECT_TRUE(refused({.kpis = {{.margin = 0.2, .harm_min = -0.1}}}, "harm_min"));
    EXPECT_TRUE(refused({.kpis = {{.margin = 0.2, .harm_min = 0.3}}}, "harm_min"));
    EXPECT_TRUE(refused({.guards = {{.limit = 1, .breaches = 0, .of = 5}}}, "guard"));
    EXPECT_TRUE(refused({.guards = {{.limit = INFINITY, .breaches = 1, .of = 5}}}, "guard"));
}

TEST(JudgeRules, NoTrialPassesUnlessEveryKpiExcludesItsMargin) {
    TwinSimulation twins({.seed = 20, .noise = 0.5});
    const Arms arms = twins.run(36, {.slowdown = 0.25});
    const Verdict verdict = judge({}, {.after = arms.view()});
    EXPECT_EQ(verdict.evidence[0].verdict, VerdictKind::kInconclusive) << verdict.evidence[0].reason;
    EXPECT_EQ(verdict.evidence[2].verdict, VerdictKind::kPass) << verdict.evidence[2].reason;
    EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive) << verdict.reason;
}

TEST(JudgeRules, AnEffectThatIsSureButSmallIsNoHarm) {
    TwinSimulation twins({.seed = 21, .noise = 0.02});
    const Arms arms = twins.run(300, {.slowdown = 0.06});
    const Verdict verdict = judge({}, {.after = arms.view()});
    EXPECT_LT(verdict.evidence[0].p_value, 0.01);
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << verdict.reason;
}

TEST(JudgeRules, WhatIsOnlyReportedNeitherDecidesNorCostsAnything) {
    TwinSimulation twins({.seed = 22, .noise = 0.1});
    Arms arms = twins.run(120);
    for (auto& window : arms.treated)
        window.guest_cpu_share = 0.9;
    const Verdict verdict = judge({}, {.after = arms.view()});
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << verdict.reason;
    EXPECT_EQ(verdict.evidence[3].verdict, VerdictKind::kFail);
    LabRules without{.kpis = default_kpis()};
    without.kpis.resize(3);
    const Arms worse = twins.run(120, {.slowdown = 0.1});
    const double p = judge({}, {.after = worse.view()}).evidence[0].p_value;
    EXPECT_LT(p, 0.1);
    EXPECT_EQ(judge(without, {.after = worse.view()}).evidence[0].p_value, p);
}

TEST(JudgeRules, SeveralKpisThatDecidePayForTheirNumber) {
    TwinSimulation twins({.seed = 23, .noise = 0.2});
    const Arms arms = twins.run(60, {.slowdown = 0.15});
    const model::KpiEvidence three = judge({}, {.after = arms.view()}).evidence[0];
    LabRules rules{.kpis = default_kpis()};
    rules.kpis.resize(1);
    const model::KpiEvidence alone = judge(rules, {.after = arms.view()}).evidence[0];
    EXPECT_LT(alone.p_value, 0.3);
    EXPECT_GE(three.p_value, 2 * alone.p_value * (1 - 1e-9));
    EXPECT_LT(three.power, alone.power);
}

TEST(JudgeRules, TheFewestBlocksGrowWithTheKpisAndTheErrorRate) {
    EXPECT_EQ(blocks_needed(0.5, 1), 5U);
    EXPECT_EQ(blocks_needed(0.01, 3), 10U);
    EXPECT_EQ(blocks_needed(0.001, 3), 13U);
    TwinSimulation twins({.seed = 24});
    const Arms arms = twins.run(5);
    EXPECT_TRUE(says(judge({}, {.after = arms.view()}), "1 independent blocks of 3"));
}

TEST(JudgeRules, AShortBaselineDecidesNothingHoweverLongTheRest) {
    TwinSimulation twins({.seed = 25, .noise = 0.05});
    const Arms before = twins.run(9);
    const Arms after = twins.run(120, {.slowdown = 0.5});
    const Verdict verdict = judge({}, {.before = before.view(), .after = after.view()});
    EXPECT_EQ(verdict.evidence[0].verdict, VerdictKind::kInconclusive) << verdict.evidence[0].reason;
}

TEST(JudgeRules, TwinsThatWereUnlikeEitherWayAreInvalid) {
    TwinSimulation twins({.seed = 26, .noise = 0.1, .bias = -0.4});
    const Arms before = twins.run(60);
    const Arms after = twins.run(60);
    EXPECT_EQ(judge({}, {.before = before.view(), .after = after.view()}).kind, VerdictKind::kInvalid);
}

TEST(JudgeRules, ADifferenceBeforeTheChangeThatIsNotSureIsNoFault) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        TwinSimulation twins({.seed = seed, .noise = 0.9, .bias = 0.25});
        const Arms before = twins.run(36);
        const Arms after = twins.run(36);
        const Verdict verdict = judge({}, {.before = before.view(), .after = after.view()});
        EXPECT_NE(verdict.kind, VerdictKind::kInvalid) << seed << ": " << verdict.reason;
    }
}

TEST(JudgeRules, LossesOnTheWayCountWhereverTheyHappen) {
    TwinSimulation twins({.seed = 28});
    const Arms good = twins.run(60);
    for (const model::ReplayLedger& ledger :
         {model::ReplayLedger{.captured = 40, .replayed = 36, .lost_capture_drop = 4},
          model::ReplayLedger{.captured = 40, .replayed = 36, .lost_spool_full = 4}}) {
        Arms arms = good;
        for (auto& window : arms.treated)
            window.ledger = ledger;
        EXPECT_EQ(judge({}, {.after = arms.view()}).kind, VerdictKind::kInvalid);
        // and in the baseline too
        EXPECT_EQ(judge({}, {.before = arms.view(), .after = good.view()}).kind, VerdictKind::kInvalid);
        const auto remedy = judge_remediation({}, {.before = good.view(), .after = arms.view()});
        EXPECT_NE(remedy->reason.find("were lost"), std::string::npos) << remedy->reason;
    }
}

TEST(JudgeRules, ResetsAndTimeoutsAreTheArmsErrors) {
    TwinSimulation twins({.seed = 29});
    const Arms good = twins.run(60);
    for (const model::ReplayLedger& ledger : {model::ReplayLedger{.captured = 40, .replayed = 40, .lost_timeout = 10},
                                              model::ReplayLedger{.captured = 40, .replayed = 40, .lost_reset = 10}}) {
        Arms arms = good;
        for (auto& window : arms.treated)
            window.ledger = ledger;
        const Verdict verdict = judge({}, {.after = arms.view()});
        EXPECT_TRUE(says(verdict, "error_rate")) << verdict.reason;
        EXPECT_EQ(verdict.kind, VerdictKind::kFail);
    }
}

TEST(JudgeRules, AFaultThatIsNotSureProvesNothingOfARemedy) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        TwinSimulation twins({.seed = seed, .noise = 0.9, .drift = 0.01});
        const Arms before = twins.run(48);
        const Arms after = twins.run(48);
        const auto verdict = judge_remediation({}, {.before = before.view(), .after = after.view()});
        ASSERT_TRUE(is_ok(verdict));
        EXPECT_TRUE(verdict->kind == Remediation::kNotReproduced || verdict->kind == Remediation::kInconclusive)
            << seed << ": " << verdict->reason;
        EXPECT_EQ(verdict->recovered, model::Interval{}) << seed;
    }
}

TEST(JudgeRules, ARemedyThatMakesItsOwnSignalWorseIsHarmful) {
    TwinSimulation twins({.seed = 35, .noise = 0.05, .drift = 0.05});
    const Arms before = twins.run(500);
    Arms after = twins.run(500, {.slowdown = 1.5});
    for (auto& window : after.control) {
        for (auto& bucket : window.response_time)
            bucket.value_us += bucket.value_us / 2;
    }
    const RemediationRules rules{.others = {.kpis = {{.kpi = Kpi::kErrorRate, .margin = 0.01}}}};
    const auto verdict = judge_remediation(rules, {.before = before.view(), .after = after.view()});
    ASSERT_TRUE(is_ok(verdict));
    EXPECT_EQ(verdict->kind, Remediation::kHarmful) << verdict->reason;
}

TEST(JudgeRules, AWindowThatComesTwiceCountsOnce) {
    TwinSimulation twins({.seed = 30});
    Arms arms = twins.run(60);
    const Verdict once = judge({}, {.after = arms.view()});
    for (auto* arm : {&arms.control, &arms.treated})
        arm->push_back(arm->front());
    EXPECT_EQ(judge({}, {.after = arms.view()}), once);
}

TEST(JudgeRules, ErrorsInOneLongBurstAreNotSoManyIndependentOnes) {
    TwinSimulation twins({.seed = 31});
    Arms arms = twins.run(60);
    for (std::size_t i = 30; i < 35; ++i)
        arms.treated[i].errors = 6;
    const Verdict verdict = judge({}, {.after = arms.view()});
    EXPECT_NE(verdict.evidence[2].verdict, VerdictKind::kFail) << verdict.evidence[2].reason;
}

TEST(JudgeRules, AGuardForgetsWhatLiesBehindItsWindows) {
    TwinSimulation twins({.seed = 32});
    Arms arms = twins.run(60);
    LabRules rules;
    rules.guards = {{.kpi = Kpi::kErrorRate, .limit = 0.5, .breaches = 2, .of = 3}};
    for (const std::size_t i : {20U, 40U})
        arms.treated[i].errors = 40;
    EXPECT_FALSE(says(judge(rules, {.after = arms.view()}), "guard"));
    arms.treated[22].errors = 40;
    EXPECT_TRUE(says(judge(rules, {.after = arms.view()}), "guard"));
}

TEST(JudgeRules, AnOverloadOfBothArmsIsNotBlamedOnTheChange) {
    TwinSimulation twins({.seed = 36});
    Arms arms = twins.run(60);
    LabRules rules;
    rules.guards = {{.kpi = Kpi::kErrorRate, .limit = 0.5, .breaches = 3, .of = 5}};
    for (auto* arm : {&arms.control, &arms.treated}) {
        for (std::size_t i = 20; i < 40; ++i)
            (*arm)[i].errors = 40;
    }
    const Verdict both = judge(rules, {.after = arms.view()});
    EXPECT_EQ(both.kind, VerdictKind::kInvalid);
    EXPECT_TRUE(says(both, "so did the control arm's")) << both.reason;
    // what treated alone broke is the change's, in whatever order the guards stand
    rules.guards.push_back({.kpi = Kpi::kResponseTimeMean, .limit = 1e6, .breaches = 3, .of = 5});
    for (std::size_t i = 20; i < 40; ++i)
        arms.treated[i].response_time = {{.value_us = 2'000'000, .count = 40}};
    const Verdict alone = judge(rules, {.after = arms.view()});
    EXPECT_EQ(alone.kind, VerdictKind::kFail);
    EXPECT_TRUE(says(alone, "response_time_mean of the treated arm")) << alone.reason;
}

TEST(JudgeRules, TheSmallerOfTwoTestsCountsTwiceAndTheWorseBoundHolds) {
    const std::vector<double> ranked{1, 2, 3, 4, 5};
    // most lie below zero, and one far above: means see it, ranks do not
    const std::vector<double> stalled{-0.1, -0.2, 0.3, -0.3, 0.1, 9, 8, 7.5};
    // a minority that ranks hardly heed, and one value that means heed too much
    std::vector<double> minority(17, 0.05);
    for (std::size_t i = 0; i < minority.size(); i += 2)
        minority[i] = -0.04 - 0.001 * static_cast<double>(i);
    minority.insert(minority.end(), {9, 9.5, 10});
    const std::vector<double> outlier{1, 2, 3, 4, 5, 6, 7, 8, -30};
    for (const auto& values : {ranked, stalled, minority, outlier}) {
        const auto test = block_test({}, values, 0.9);
        const auto ranks = statistics::wilcoxon_signed_rank(values, {.confidence = 0.9});
        const auto means = statistics::sign_flip_p(values, {.exact_max = 14});
        ASSERT_TRUE(is_ok(test));
        EXPECT_NEAR(test->p_harm, std::min(1.0, 2 * std::min(ranks->p_greater, *means)), 1e-12);
        EXPECT_GE(test->interval.high, ranks->interval.high);
        EXPECT_GE(test->interval.high, statistics::mean(values) + 1.6 * test->standard_error);
    }
}

std::vector<double> wave(std::size_t values, double period) {
    std::vector<double> result;
    for (std::size_t i = 0; i < values; ++i)
        result.push_back(std::sin(2 * std::numbers::pi * static_cast<double>(i) / period));
    return result;
}

TEST(JudgeRules, BlocksAreAsLongAsValuesWanderTogether) {
    EXPECT_GT(wandering_of({}, wave(120, 40)).block_length, 6U);
    EXPECT_GT(wandering_of(wave(120, 40), {}).block_length, 6U);
    // values that forget by half each step: two times 3 although the third lag is quiet
    Random random(5);
    std::vector<double> half(600);
    for (std::size_t i = 1; i < half.size(); ++i)
        half[i] = 0.5 * half[i - 1] + random.normal();
    EXPECT_GE(wandering_of({}, half).block_length, 5U);
    // also where there are too few values to measure their time
    EXPECT_GT(wandering_of({}, wave(18, 24)).block_length, 3U);
    // a few values far off do not hide it
    std::vector<double> values = wave(120, 40);
    for (std::size_t i = 0; i < values.size(); i += 17)
        values[i] = 1000;
    EXPECT_GT(wandering_of({}, values).block_length, 6U);
}

TEST(JudgeRules, MoreValuesThanBlocksAreTakenTogether) {
    std::vector<double> values;
    for (std::size_t i = 0; i < 10 * limits::kBlocksMax; ++i)
        values.push_back(i * 7919 % 13 < 6 ? 1 : -1);
    EXPECT_GE(wandering_of({}, values).block_length, 10U);
}

TEST(JudgeRules, AnAbortGuardWantsHarmOfItsSize) {
    EXPECT_TRUE(fails(AbortGuard::create({.harm = -1}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(AbortGuard::create({.block = 0}), ErrorCode::kInvalidArgument));
    auto guard = AbortGuard::create({.harm = 0.5});
    ASSERT_TRUE(is_ok(guard));
    TwinSimulation twins({.seed = 33, .noise = 0.05});
    const Arms arms = twins.run(400, {.slowdown = 0.25});
    for (std::size_t i = 0; i < arms.control.size(); ++i)
        guard->add(arms.control[i], arms.treated[i]);
    EXPECT_FALSE(guard->tripped()) << guard->reason();
}

TEST(JudgeRules, ABankRefusesWhatIsNoNumberAndDoesNotCountIt) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<AaRun> bank(19, AaRun{.effect = 0.1, .configuration = "c"});
    EXPECT_TRUE(fails(judge_by_bank(bank, nan, {}, "c", {}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(judge_by_bank(bank, 0.2, {}, "c", {.alpha = 0}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(judge_by_bank(bank, 0.2, {}, "c", {})->p.has_value());
    std::vector<AaRun> holed = bank;
    holed.back().effect = nan;
    EXPECT_FALSE(judge_by_bank(holed, 0.2, {}, "c", {})->p.has_value());
    EXPECT_EQ(judge_by_bank(holed, 0.2, {}, "c", {})->runs, 18U);
}

TEST(JudgeRules, ACanaryNeedsControlHostsOfTheSameTimes) {
    TwinSimulation twins({.seed = 34, .noise = 0.05});
    const Arms before = twins.run(60);
    const Arms after = twins.run(60);
    const HostWindows canary{.before = before.treated, .after = after.treated};
    const HostWindows control{.before = before.control, .after = after.control};
    EXPECT_TRUE(fails(judge_production({}, canary, {}), ErrorCode::kInvalidArgument, "control hosts"));
    EXPECT_TRUE(fails(judge_production({}, {.before = {}, .after = after.treated}, {control}),
                      ErrorCode::kInvalidArgument, "before the change"));
    HostWindows gap = control;
    gap.after.erase(gap.after.begin() + 10, gap.after.begin() + 12);
    const auto verdict = judge_production({}, canary, {control, gap});
    ASSERT_TRUE(is_ok(verdict));
    EXPECT_EQ(verdict->n, 58U);  // not twice one host's load in the windows that the other lacks
}

TEST(JudgeRules, AClaimOfMoreFailuresThanRunsIsRefused) {
    EXPECT_TRUE(fails(judge_reliability({.runs = 3, .failures = 4}), ErrorCode::kInvalidArgument, "cannot be held"));
}

}  // namespace
}  // namespace penumbra::analysis::judge
