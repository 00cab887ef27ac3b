#include "analysis/capacity/plan_backtest.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kDay = 288;

/// Two weeks of days that rise in the morning by half within the hour, with noise.
std::vector<double> days(std::uint64_t seed, std::size_t slots) {
    Random random(seed);
    std::vector<double> load;
    for (std::size_t i = 0; i < slots; ++i) {
        const std::size_t at = i % kDay;
        const double ramp = std::clamp((static_cast<double>(at) - 96) / 12, 0.0, 1.0) -
                            std::clamp((static_cast<double>(at) - 240) / 12, 0.0, 1.0);
        load.push_back(400 + 300 * ramp + 8 * random.normal());
    }
    return load;
}

ScalingPlanner fine_planner() {
    PlanOptions options{.sizes = {{.vcpus = 1, .per_second = 10}}, .hosts = {.vcpus = 500, .count = 1}};
    options.policy.hosts_may_fail = 0;
    return *ScalingPlanner::make(options);
}

TEST(PlanScore, CountsWhatWasShortAndWhatStoodIdle) {
    const std::vector<double> load = {100, 200, kNaN, 300, 100};
    const std::vector<double> capacity = {200, 200, 900, 200, 100};
    const auto score = score_plan(load, capacity);
    ASSERT_TRUE(is_ok(score));
    EXPECT_EQ(score->slots, 4U);
    EXPECT_DOUBLE_EQ(score->underprovisioned_share, 0.25);
    EXPECT_DOUBLE_EQ(score->unserved_share, 100.0 / 700);
    EXPECT_DOUBLE_EQ(score->spare_share, 100.0 / 700);
}

TEST(PlanScore, WhatHasNoMeaningIsAnError) {
    const std::vector<double> one = {1};
    const std::vector<double> two = {1, 2};
    const std::vector<double> holes = {kNaN};
    const std::vector<double> endless = {std::numeric_limits<double>::infinity()};
    const std::vector<double> negative = {-1};
    EXPECT_TRUE(fails(score_plan(one, two), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(score_plan({}, {}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(score_plan(holes, one), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(score_plan(endless, one), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(score_plan(one, endless), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(score_plan(one, negative), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(score_plan(one, holes), ErrorCode::kInvalidArgument));
}

TEST(PlanReplay, WhoKnowsIsNeverShortAndWhoOnlyReactsIs) {
    const auto load = days(1, 9 * kDay);
    const PlanReplay replay{.load = load, .step = 5min, .from = 7 * kDay, .horizon = 12};
    const auto knows = replay_plan(fine_planner(), replay, oracle_foresight(load));
    const auto reacts = replay_plan(fine_planner(), replay, reactive_foresight(load));
    ASSERT_TRUE(is_ok(knows));
    EXPECT_EQ(knows->underprovisioned_share, 0);
    EXPECT_GT(reacts->underprovisioned_share, 0.05);
    EXPECT_LT(knows->spare_share, 0.06);
    // a slot's load late is 15 min of a rise by half within the hour
    EXPECT_GT(reacts->unserved_share, knows->unserved_share);
}

TEST(PlanReplay, MoreOfWhatIsForeseenIsMoreSpareAndLessShort) {
    const auto load = days(2, 10 * kDay);
    PlanReplay replay{.load = load, .step = 5min, .from = 8 * kDay, .horizon = 12};
    PlanScore last{.underprovisioned_share = 1};
    for (const double factor : {0.9, 1.0, 1.05, 1.2}) {
        replay.factor = factor;
        const auto score = *replay_plan(fine_planner(), replay, periodic_foresight(load, 7 * kDay));
        EXPECT_LE(score.underprovisioned_share, last.underprovisioned_share) << factor;
        EXPECT_GE(score.spare_share, last.spare_share) << factor;
        last = score;
    }
}

TEST(PlanReplay, NobodySeesWhatIsStillToCome) {
    auto load = days(3, 8 * kDay);
    const std::size_t now = 7 * kDay + 100;
    for (const auto& foresight :
         {reactive_foresight(load), periodic_foresight(load, 7), periodic_foresight(load, 500)}) {
        std::vector<double> before(24);
        std::vector<double> after(24);
        foresight(now, before);
        const auto kept = load;
        for (std::size_t i = now; i < load.size(); ++i)
            load[i] = 1e9;
        foresight(now, after);
        load = kept;
        EXPECT_EQ(before, after);
    }
    EXPECT_TRUE(fails(replay_plan(fine_planner(), {.load = load, .step = 5min, .horizon = 12}, oracle_foresight(load)),
                      ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(replay_plan(fine_planner(), {.load = load, .step = 5min, .from = 1}, oracle_foresight(load)),
                      ErrorCode::kInvalidArgument));
}

TEST(Rises, AreFoundOnceAndAnnouncedBeforeTheLeadTime) {
    const auto load = days(4, 10 * kDay);
    const RiseRule rule;
    const auto rises = find_rises(load, rule);
    ASSERT_EQ(rises.size(), 10U);
    EXPECT_NEAR(static_cast<double>(rises[3]), 3 * kDay + 101, 3);
    const auto said = announce_rises(load, 8 * kDay, 3, 24, rule, oracle_foresight(load));
    const auto score = score_announcements(load, 8 * kDay, 3, rule, said);
    EXPECT_EQ(score.rises, 2U);
    EXPECT_EQ(score.in_time, 2U);
    EXPECT_EQ(score.false_ones, 0U);
    // who expects what is now never announces anything
    EXPECT_TRUE(announce_rises(load, 8 * kDay, 3, 9, rule, reactive_foresight(load)).size() <= 2);
    const auto late = score_announcements(load, 8 * kDay, 3, rule,
                                          announce_rises(load, 8 * kDay, 3, 24, rule, reactive_foresight(load)));
    EXPECT_LT(late.in_time, 2U);
}

TEST(Foresights, TheMeanOfTwoTakesWhatThereIs) {
    const Foresight one = [](std::size_t, std::span<double> expected) {
        expected[0] = 10;
        expected[1] = kNaN;
        expected[2] = 10;
    };
    const Foresight other = [](std::size_t now, std::span<double> expected) {
        expected[0] = static_cast<double>(now);
        expected[1] = 7;
        expected[2] = kNaN;
    };
    std::vector<double> expected(3);
    mean_foresight(one, other)(20, expected);
    EXPECT_EQ(expected, (std::vector<double>{15, 7, 10}));
}

TEST(Rises, AnAnnouncementOfNothingIsFalse) {
    const std::vector<double> flat(3 * kDay, 100.0);
    const RiseRule rule;
    EXPECT_TRUE(find_rises(flat, rule).empty());
    const std::vector<Announcement> said = {{.made = 300, .due = 320}, {.made = 850, .due = 900}};
    const auto score = score_announcements(flat, kDay, 3, rule, said);
    EXPECT_EQ(score.rises, 0U);
    EXPECT_EQ(score.announcements, 1U);
    EXPECT_EQ(score.false_ones, 1U);
    const std::vector<double> holes(100, kNaN);
    EXPECT_TRUE(find_rises(holes, rule).empty());
    EXPECT_TRUE(find_rises({}, rule).empty());
}

}  // namespace
}  // namespace penumbra::analysis::capacity
