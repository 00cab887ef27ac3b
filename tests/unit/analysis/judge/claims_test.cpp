#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/judge/aa_bank.hpp"
#include "analysis/judge/reliability.hpp"
#include "analysis/random.hpp"
#include "analysis/statistics/kaplan_meier.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/golden_numbers.hpp"

namespace penumbra::analysis::judge {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;
using namespace std::chrono_literals;

TEST(Reliability, SixtyRunsLessOneWithoutAFailureShowNinetyFivePercent) {
    EXPECT_EQ(judge_reliability({.runs = 59})->verdict, ClaimVerdict::kHolds);
    const auto open = judge_reliability({.runs = 58});
    EXPECT_EQ(open->verdict, ClaimVerdict::kOpen);
    EXPECT_EQ(open->runs_needed, 1U);
    EXPECT_EQ(judge_reliability({.runs = 0})->runs_needed, 59U);
    EXPECT_EQ(judge_reliability({.share = 0.99, .runs = 299})->verdict, ClaimVerdict::kHolds);
    EXPECT_EQ(judge_reliability({.runs = 20, .failures = 5})->verdict, ClaimVerdict::kRefuted);
    EXPECT_TRUE(fails(judge_reliability({.runs = 1, .failures = 2}), ErrorCode::kInvalidArgument));
}

TEST(Reliability, ARemedyWrongInTenPercentIsNotCertified) {
    Random random(5);
    int certified = 0;
    for (int campaign = 0; campaign < 200; ++campaign) {
        std::uint64_t failures = 0;
        for (int run = 0; run < 59; ++run)
            failures += random.uniform() < 0.1 ? 1 : 0;
        certified += judge_reliability({.runs = 59, .failures = failures})->verdict == ClaimVerdict::kHolds ? 1 : 0;
    }
    EXPECT_LE(certified, 2);
}

TEST(Fidelity, IsOneForLikeAnswersAndZeroForTwiceAsSlow) {
    const std::vector<double> production = {10, 20, 30};
    EXPECT_DOUBLE_EQ(*fidelity(production, production), 1);
    EXPECT_DOUBLE_EQ(*fidelity(std::vector<double>{20, 40, 60}, production), 0);
    EXPECT_NEAR(*fidelity(std::vector<double>{11, 22, 33}, production), 1 - std::log2(1.1), 1e-12);
    EXPECT_TRUE(fails(fidelity({}, {}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(fidelity(std::vector<double>{0, 1, 1}, production), ErrorCode::kInvalidArgument));
}

TEST(AaBank, ItsPIsExactWhateverTheRunsShare) {
    // 4,000 trials without an effect, effects of a heavy tail: p <= 5 % in 5 % of them
    Random random(1);
    const auto effect = [&] { return std::tan(M_PI * (random.uniform() - 0.5)); };
    int alarms = 0;
    for (int trial = 0; trial < 4000; ++trial) {
        std::vector<AaRun> bank;
        for (int i = 0; i < 19; ++i)
            bank.push_back({.effect = effect(), .configuration = "a"});
        const auto verdict = judge_by_bank(bank, effect(), WallTime{} + 1h, "a", {});
        ASSERT_TRUE(is_ok(verdict));
        alarms += *verdict->p <= 0.05 ? 1 : 0;
    }
    EXPECT_LE(alarms, 235);  // 5 % and 2.5 deviations
    EXPECT_GE(alarms, 165);
}

TEST(AaBank, WhatIsOldOrAnotherPairDoesNotCount) {
    const std::vector<AaRun> bank(19, AaRun{.effect = 0.1, .configuration = "a"});
    EXPECT_TRUE(judge_by_bank(bank, 0.5, WallTime{} + 24h, "a", {})->p.has_value());
    EXPECT_FALSE(judge_by_bank(bank, 0.5, WallTime{} + 24h * 8, "a", {})->p.has_value());
    const auto other = judge_by_bank(bank, 0.5, WallTime{} + 24h, "b", {});
    EXPECT_FALSE(other->p.has_value());
    EXPECT_EQ(other->runs_needed, 19U);
    // a host whose clock ran ahead: nothing says how old those runs are
    const auto later = judge_by_bank(bank, 0.5, WallTime{} - 1h, "a", {});
    EXPECT_FALSE(later->p.has_value());
    EXPECT_NE(later->reason.find("19 later than the trial"), std::string::npos) << later->reason;
    EXPECT_EQ(judge_by_bank(bank, 0.5, WallTime{}, "a", {.alpha = 0.01})->runs_needed, 80U);
    EXPECT_TRUE(fails(judge_by_bank(bank, std::numeric_limits<double>::quiet_NaN(), WallTime{}, "a", {}),
                      ErrorCode::kInvalidArgument));
}

TEST(KaplanMeier, IsThePublishedCurveOfTheSixMpArm) {
    // Freireich et al., Blood 21 (1963); the table is in Kalbfleisch and Prentice and in Cox and Oakes
    std::vector<statistics::Duration> arm;
    for (const double time : {6, 6, 6, 7, 10, 13, 16, 22, 23})
        arm.push_back({.time = time, .happened = true});
    for (const double time : {6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35})
        arm.push_back({.time = time, .happened = false});
    const auto curve = statistics::kaplan_meier(arm, 0.95);
    ASSERT_TRUE(is_ok(curve));
    const std::vector<double> shares = {0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448};
    const std::vector<double> errors = {0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346};
    ASSERT_EQ(curve->steps.size(), shares.size());
    for (std::size_t i = 0; i < shares.size(); ++i) {
        EXPECT_NEAR(curve->steps[i].share, shares[i], 5e-4);
        EXPECT_NEAR(curve->steps[i].standard_error, errors[i], 5e-5);
        EXPECT_LE(curve->steps[i].interval.low, curve->steps[i].share);
        EXPECT_GE(curve->steps[i].interval.high, curve->steps[i].share);
    }
    EXPECT_EQ(curve->median, 23);
    EXPECT_DOUBLE_EQ(curve->share_after(5), 1);
    EXPECT_TRUE(fails(statistics::kaplan_meier({}, 0.95), ErrorCode::kInvalidArgument));
}

TEST(KaplanMeier, AgreesWithR) {
    const analysis::testing::GoldenNumbers r("statistics.txt");
    std::vector<statistics::Duration> durations;
    for (std::size_t i = 0; i < r.at("survival_time").size(); ++i)
        durations.push_back({.time = r.at("survival_time")[i], .happened = r.at("survival_happened")[i] > 0});
    const auto curve = statistics::kaplan_meier(durations, 0.95);
    ASSERT_TRUE(is_ok(curve));
    ASSERT_EQ(curve->steps.size(), r.at("survfit_time").size());
    for (std::size_t i = 0; i < curve->steps.size(); ++i) {
        const auto& step = curve->steps[i];
        EXPECT_EQ(step.time, r.at("survfit_time")[i]);
        EXPECT_EQ(step.at_risk, r.at("survfit_at_risk")[i]);
        analysis::testing::expect_close(step.share, r.at("survfit_share")[i]);
        analysis::testing::expect_close(step.standard_error, r.at("survfit_error")[i]);
        analysis::testing::expect_close(step.interval.low, r.at("survfit_low")[i]);
        analysis::testing::expect_close(step.interval.high, r.at("survfit_high")[i]);
    }
    EXPECT_EQ(curve->median, r.at("survfit_median")[0]);
}

}  // namespace
}  // namespace penumbra::analysis::judge
