#include "analysis/capacity/trial_advice.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

TEST(NextLoadSteps, BetweenWhatHeldAndWhatBroke) {
    const std::vector<LoadOutcome> past = {{1, 100, StepOutcome::kHeld}, {1, 200, StepOutcome::kBroken}};
    const auto steps = next_load_steps({.past = past, .recover_minutes = 0});
    ASSERT_TRUE(is_ok(steps));
    const NextStep& step = steps->front();
    // the middle of the logarithm halves what is not known
    EXPECT_NEAR(step.offered_per_second, 141, 8);
    EXPECT_NEAR(step.held_probability, 0.5, 0.08);
    EXPECT_GT(step.bits, 0.7);
    EXPECT_GT(step.low, 90);
    EXPECT_LT(step.high, 215);
}

TEST(NextLoadSteps, ABrokenStepThatCostsTimeMakesItCautious) {
    const std::vector<LoadOutcome> past = {{1, 100, StepOutcome::kHeld}, {1, 200, StepOutcome::kBroken}};
    const auto bold = next_load_steps({.past = past, .recover_minutes = 0});
    const auto cautious = next_load_steps({.past = past, .recover_minutes = 10});
    EXPECT_LT(cautious->front().offered_per_second, bold->front().offered_per_second);
}

TEST(NextLoadSteps, FindTheCapacityInFewSteps) {
    // property: whatever the capacity, eight steps as advised find it within five percent
    for (const double capacity : {110.0, 137.0, 190.0, 333.0}) {
        std::vector<LoadOutcome> past = {{1, 100, StepOutcome::kHeld}, {1, 400, StepOutcome::kBroken}};
        for (int i = 0; i < 8; ++i) {
            const double offered = next_load_steps({.past = past})->front().offered_per_second;
            past.push_back({1, offered, offered < capacity ? StepOutcome::kHeld : StepOutcome::kBroken});
        }
        const NextStep last = next_load_steps({.past = past})->front();
        EXPECT_LT(last.low, capacity * 1.05);
        EXPECT_GT(last.high, capacity * 0.95);
        EXPECT_LT(last.high / last.low, 1.25) << capacity;
    }
}

TEST(NextLoadSteps, TheSizeOfWhichLeastIsKnownComesFirst) {
    std::vector<LoadOutcome> past = {{1, 100, StepOutcome::kHeld},
                                     {1, 110, StepOutcome::kBroken},
                                     {2, 150, StepOutcome::kHeld},
                                     {2, 400, StepOutcome::kBroken}};
    const auto steps = next_load_steps({.past = past});
    ASSERT_EQ(steps->size(), 2U);
    EXPECT_EQ(steps->front().size, 2);
    // unless its steps never decide anything
    for (int i = 0; i < 20; ++i)
        past.push_back({2, 200, StepOutcome::kFaulty});
    EXPECT_EQ(next_load_steps({.past = past})->front().size, 1);
}

TEST(NextLoadSteps, WhatContradictsItselfStillHasAnAnswer) {
    std::vector<LoadOutcome> past;
    for (int i = 0; i < 2000; ++i)
        past.push_back({1, 100.0 + i % 7, i % 2 == 0 ? StepOutcome::kHeld : StepOutcome::kBroken});
    const auto steps = next_load_steps({.past = past});
    ASSERT_TRUE(is_ok(steps));
    EXPECT_TRUE(std::isfinite(steps->front().bits_per_minute));
    EXPECT_TRUE(fails(next_load_steps({}), ErrorCode::kInvalidArgument, "no step"));
    past[0].offered_per_second = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(fails(next_load_steps({.past = past}), ErrorCode::kInvalidArgument, "above 0"));
}

TEST(RankTrials, WhatIsNotKnownAndShortComesFirst) {
    const std::vector<TrialRecord> records = {{"disk slow", 50, 0, 0, 5},
                                              {"new", 0, 0, 0, 5},
                                              {"half and half", 5, 5, 0, 5},
                                              {"never decides", 0, 0, 20, 5},
                                              {"new and long", 0, 0, 0, 60}};
    const auto choices = rank_trials(records);
    ASSERT_TRUE(is_ok(choices));
    EXPECT_EQ((*choices)[0].name, "new");
    // one throw at a coin of which nothing is known: 1 - 1 / (2 ln 2) bits
    EXPECT_NEAR((*choices)[0].bits, 1 - 0.5 / std::log(2.0), 1e-8);
    EXPECT_EQ((*choices)[1].name, "half and half");
    EXPECT_EQ((*choices)[4].name, "disk slow");
    EXPECT_TRUE(fails(rank_trials(std::vector<TrialRecord>{{"x", 0, 0, 0, 0}}), ErrorCode::kInvalidArgument, "x"));
    EXPECT_TRUE(rank_trials({})->empty());
}

TEST(AdviseShadowSize, TheSmallestThatKeepsTheError) {
    const std::vector<double> sizes = {1, 2, 4, 8};
    const auto unknown = advise_shadow_size({.production_size = 16, .sizes = sizes});
    ASSERT_TRUE(is_ok(unknown));
    EXPECT_EQ(unknown->size, 8);  // 9 % a doubling, two of them are too much
    EXPECT_FALSE(unknown->outlooks[1].allowed);
    std::vector<SizeHindcast> good(30, {.ratio = 4, .relative_error = 0.1});
    const auto learnt = advise_shadow_size({.production_size = 16, .sizes = sizes, .past = good});
    EXPECT_EQ(learnt->size, 4);
    EXPECT_NE(learnt->reason.find("30 past predictions"), std::string::npos) << learnt->reason;
    std::vector<SizeHindcast> bad(30, {.ratio = 2, .relative_error = 0.5});
    const auto none = advise_shadow_size({.production_size = 16, .sizes = sizes, .past = bad});
    EXPECT_EQ(none->size, std::nullopt);
    EXPECT_NE(none->reason.find("13 at least"), std::string::npos) << none->reason;
    EXPECT_TRUE(fails(advise_shadow_size({.production_size = 16}), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::analysis::capacity
