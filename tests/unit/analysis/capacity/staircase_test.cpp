#include "analysis/capacity/staircase.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

/// A minute at `rate`: `fast` per cent of the answers at 10 ms, the rest at `slow_us`.
std::vector<model::KpiWindow> minute(double rate, std::uint64_t fast, std::uint64_t slow_us, std::uint64_t errors = 0) {
    const auto requests = static_cast<std::uint64_t>(rate * 60);
    const std::uint64_t quick = requests * fast / 100;
    return {
        {.length = std::chrono::seconds(60),
         .requests = requests,
         .errors = errors,
         .response_time = {{.value_us = 10'000, .count = quick}, {.value_us = slow_us, .count = requests - quick}}}};
}

const Objective kObjective{.quantile = 0.95, .response_us = 100'000, .error_share = 0.01};

TEST(Staircase, CapacityIsTheHighestStepThatHeldBelowTheFirstThatBroke) {
    const auto low = minute(10, 99, 500'000);
    const auto middle = minute(15, 98, 500'000);
    const auto high = minute(20, 80, 500'000);
    const std::vector<LoadStep> steps = {{20, high, ""}, {10, low, ""}, {15, middle, ""}};
    const auto capacity = judge_staircase(steps, kObjective);
    ASSERT_TRUE(is_ok(capacity));
    EXPECT_EQ(capacity->capacity_per_second, 15);
    EXPECT_EQ(capacity->broken_at_per_second, 20);
    EXPECT_NE(capacity->reason.find("at 20 requests a second the 95 % quantile"), std::string::npos)
        << capacity->reason;
}

TEST(Staircase, AllStepsHeldSaysSo) {
    const auto low = minute(10, 100, 10'000);
    const std::vector<LoadStep> steps = {{10, low, ""}};
    const auto capacity = judge_staircase(steps, kObjective);
    EXPECT_EQ(capacity->capacity_per_second, 10);
    EXPECT_FALSE(capacity->broken_at_per_second.has_value());
    EXPECT_NE(capacity->reason.find("all 1 steps held"), std::string::npos);
}

TEST(Staircase, ErrorsAndMissingAnswersBreakToo) {
    const auto failing = minute(10, 100, 10'000, 60);
    const std::vector<LoadStep> steps = {{10, failing, ""}};
    EXPECT_NE(judge_staircase(steps, kObjective)->reason.find("error share of 10.00 %"), std::string::npos);
    const auto half = minute(10, 100, 10'000);
    const std::vector<LoadStep> starved = {{20, half, ""}};
    EXPECT_NE(judge_staircase(starved, kObjective)->reason.find("only 10 a second were answered"), std::string::npos);
}

TEST(Staircase, TooFewRequestsAreUnclearAndAFaultyStepIsNoCapacity) {
    const auto few = minute(0.5, 100, 10'000);
    const std::vector<LoadStep> steps = {{0.5, few, ""}};
    const auto capacity = judge_staircase(steps, kObjective);
    EXPECT_EQ(capacity->steps[0].outcome, StepOutcome::kUnclear);
    EXPECT_FALSE(capacity->capacity_per_second.has_value());
    const auto good = minute(10, 100, 10'000);
    const std::vector<LoadStep> faulty = {{10, good, "the load generator dropped 3 requests"}};
    EXPECT_NE(judge_staircase(faulty, kObjective)->reason.find("dropped 3"), std::string::npos);
    const std::vector<LoadStep> empty = {{10, {}, ""}};
    EXPECT_EQ(judge_staircase(empty, kObjective)->steps[0].outcome, StepOutcome::kFaulty);
    EXPECT_TRUE(fails(judge_staircase({}, kObjective), ErrorCode::kInvalidArgument));
}

TEST(Staircase, RatesClimbByOneFactor) {
    const auto rates = staircase_rates(10, 40, 3);
    ASSERT_EQ(rates.size(), 3U);
    EXPECT_DOUBLE_EQ(rates[1], 20);
    EXPECT_DOUBLE_EQ(rates[2], 40);
    EXPECT_EQ(staircase_rates(10, 40, 1).size(), 3U);
    EXPECT_TRUE(staircase_rates(0, 40, 3).empty());
}

}  // namespace
}  // namespace penumbra::analysis::capacity
