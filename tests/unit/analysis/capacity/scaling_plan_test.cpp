#include "analysis/capacity/scaling_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "base/limits/analysis.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

constexpr std::uint64_t kGibibyte = 1ULL << 30;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// One size of 100/s, three hosts with room for four of them, one of which may fail.
PlanOptions plain() {
    return {.sizes = {{.vcpus = 2, .memory_bytes = 4 * kGibibyte, .per_second = 100}},
            .hosts = {.vcpus = 8, .memory_bytes = 32 * kGibibyte, .count = 3}};
}

ScalingPlanner planner(const PlanOptions& options) {
    return *ScalingPlanner::make(options);
}

/// A plan at five minutes from now on, `standing` instances on three hosts serving.
ScalingPlan plan_of(const ScalingPlanner& planner, const std::vector<double>& demand, unsigned standing) {
    return *planner.plan({.demand = demand, .step = 5min, .standing = planner.deployment(0, standing, 3)});
}

TEST(CheapestDeployment, StillHoldsTheLoadWithAHostLost) {
    // 3 instances on 3 hosts leave 2; the same 2 on two hosts would take 4
    const auto found = planner(plain()).cheapest(200);
    ASSERT_TRUE(is_ok(found));
    EXPECT_EQ(found->instances, 3U);
    EXPECT_EQ(found->hosts, 3U);
    EXPECT_EQ(found->per_second, 200);
    PlanOptions brave = plain();
    brave.policy.hosts_may_fail = 0;
    EXPECT_EQ(planner(brave).cheapest(200)->instances, 2U);
    EXPECT_EQ(planner(brave).cheapest(200)->hosts, 1U);
}

TEST(CheapestDeployment, SaysWhatTheHostsHoldAndHowManyWould) {
    const auto all = planner(plain());
    EXPECT_EQ(all.cheapest(800)->instances, 12U);
    EXPECT_TRUE(fails(all.cheapest(801), ErrorCode::kResourceExhausted, "4 hosts would"));
    EXPECT_TRUE(fails(all.cheapest(kNaN), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(all.cheapest(-1), ErrorCode::kInvalidArgument));
}

TEST(CheapestDeployment, NoChoiceThatHoldsIsCheaper) {
    Random random(7);
    for (int round = 0; round < 300; ++round) {
        PlanOptions options{.hosts = {.vcpus = 4 + static_cast<unsigned>(random.below(12)),
                                      .memory_bytes = (8 + random.below(24)) * kGibibyte,
                                      .count = 2 + static_cast<unsigned>(random.below(4))},
                            .prices = {.host = 3 * random.uniform()}};
        options.policy.hosts_may_fail = static_cast<unsigned>(random.below(2));
        for (unsigned vcpus = 1; vcpus <= 4; vcpus *= 2) {
            options.sizes.push_back({.vcpus = vcpus,
                                     .memory_bytes = (1 + random.below(6)) * kGibibyte,
                                     .per_second = 100 * vcpus * (0.6 + 0.4 * random.uniform()),
                                     .sigma = 0.1 * random.uniform()});
        }
        const auto all = planner(options);
        const double demand = 900 * random.uniform();
        const auto found = all.cheapest(demand);
        double cheapest = std::numeric_limits<double>::infinity();
        for (std::size_t size = 0; size < options.sizes.size(); ++size) {
            const unsigned room = std::min<unsigned>(
                options.hosts.vcpus / options.sizes[size].vcpus,
                static_cast<unsigned>(options.hosts.memory_bytes / options.sizes[size].memory_bytes));
            for (unsigned hosts = 1 + options.policy.hosts_may_fail; hosts <= options.hosts.count; ++hosts) {
                for (unsigned n = 1; n <= room * hosts; ++n) {
                    const auto tried = all.deployment(size, n, hosts);
                    if (tried.per_second >= demand) cheapest = std::min(cheapest, tried.cost);
                }
            }
        }
        ASSERT_EQ(found.has_value(), std::isfinite(cheapest)) << round;
        if (!found) continue;
        EXPECT_GE(found->per_second, demand);
        EXPECT_DOUBLE_EQ(found->cost, cheapest) << round;
        EXPECT_LE(all.cheapest(demand / 2)->cost, found->cost) << "more load never costs less";
    }
}

TEST(ScalingPlan, StartsALeadTimeBeforeTheLoadComes) {
    std::vector<double> demand(48, 150);
    std::fill(demand.begin() + 20, demand.end(), 350);
    const auto plan = plan_of(planner(plain()), demand, 3);
    ASSERT_EQ(plan.decisions.size(), 2U);
    EXPECT_EQ(plan.decisions[0].action, PlanAction::kKeep);
    EXPECT_EQ(plan.decisions[1].action, PlanAction::kGrow);
    EXPECT_EQ(plan.decisions[1].begin, 17U);
    EXPECT_EQ(plan.decisions[1].ready, 20U);
    EXPECT_FALSE(plan.decisions[1].late);
    EXPECT_NE(plan.decisions[1].reason.find("350/s (95 % quantile, in 100 min) is above the 200/s"), std::string::npos)
        << plan.decisions[1].reason;
    EXPECT_EQ(plan.short_steps, 0U);
    EXPECT_FALSE(plan.hosts_needed.has_value());
}

TEST(ScalingPlan, SaysWhenItIsTooLate) {
    std::vector<double> demand(48, 350);
    demand[0] = 150;
    const auto plan = plan_of(planner(plain()), demand, 3);
    ASSERT_EQ(plan.decisions.size(), 1U);
    EXPECT_EQ(plan.decisions[0].begin, 0U);
    EXPECT_EQ(plan.decisions[0].ready, 3U);
    EXPECT_TRUE(plan.decisions[0].late);
    EXPECT_NE(plan.decisions[0].reason.find("10 min too late"), std::string::npos) << plan.decisions[0].reason;
    EXPECT_EQ(plan.short_steps, 2U);
    EXPECT_EQ(plan.steps[3].per_second, 400);
}

TEST(ScalingPlan, NamesTheHostsThatAreMissing) {
    const std::vector<double> demand(24, 1500);
    const auto plan = plan_of(planner(plain()), demand, 12);
    EXPECT_EQ(plan.short_steps, 24U);
    EXPECT_EQ(plan.hosts_needed, 5U);
    EXPECT_EQ(plan.decisions.size(), 1U);
    EXPECT_NE(plan.explanation.find("needs 5 hosts, there are 3"), std::string::npos) << plan.explanation;
}

TEST(ScalingPlan, ShrinksOnlyWhenCalmLowerAndWithAMargin) {
    const auto all = planner(plain());
    const std::vector<double> low(24, 150);
    const auto standing = all.deployment(0, 12, 3);
    EXPECT_EQ(all.plan({.demand = low, .step = 5min, .standing = standing})->decisions[0].action, PlanAction::kShrink);
    // a change 2 min ago: 10 min of cooldown have to pass
    const auto young = *all.plan({.demand = low, .step = 5min, .standing = standing, .since_change = 2min});
    EXPECT_EQ(young.decisions[0].action, PlanAction::kKeep);
    EXPECT_NE(young.decisions[0].reason.find("too young"), std::string::npos) << young.decisions[0].reason;
    EXPECT_EQ(young.decisions[1].begin, 2U);
    // the load comes back within the hold of 30 min
    std::vector<double> dip(24, 800);
    std::fill(dip.begin(), dip.begin() + 5, 150);
    EXPECT_EQ(all.plan({.demand = dip, .step = 5min, .standing = standing})->decisions.size(), 1U);
    // 195/s would fit into 200/s, without the margin
    const std::vector<double> close(24, 195);
    EXPECT_EQ(all.plan({.demand = close, .step = 5min, .standing = standing})->decisions[0].target.per_second, 300);
    // what is observed now counts, whatever was foretold
    const auto surprised = *all.plan({.demand = low, .step = 5min, .observed = 700, .standing = standing});
    EXPECT_EQ(surprised.decisions[0].action, PlanAction::kKeep);
}

TEST(ScalingPlan, WhatIsUnderWayIsNotStartedAgain) {
    const auto all = planner(plain());
    const std::vector<double> demand(24, 350);
    const std::vector<Growth> growth = {{.target = all.deployment(0, 6, 3), .ready_in = 10min}};
    const auto plan =
        *all.plan({.demand = demand, .step = 5min, .standing = all.deployment(0, 3, 3), .under_way = growth});
    ASSERT_EQ(plan.decisions.size(), 1U);
    EXPECT_EQ(plan.decisions[0].action, PlanAction::kKeep);
    EXPECT_EQ(plan.short_steps, 2U);
    // growth on top of it does not delay it
    const std::vector<double> more(24, 750);
    const auto second =
        *all.plan({.demand = more, .step = 5min, .standing = all.deployment(0, 3, 3), .under_way = growth});
    EXPECT_EQ(second.steps[2].per_second, 400);
    EXPECT_EQ(second.steps[3].per_second, 800);
}

TEST(ScalingPlan, ChangesTheSizeOnlyWhenItPays) {
    PlanOptions options = plain();
    options.sizes.push_back({.vcpus = 2, .memory_bytes = 4 * kGibibyte, .per_second = 105});
    const std::vector<double> demand(288, 400);
    const auto small = planner(options);
    EXPECT_EQ(small.plan({.demand = demand, .step = 5min, .standing = small.deployment(0, 6, 3)})->steps.back().size,
              0U);
    options.sizes[1].per_second = 300;
    const auto large = planner(options);
    const auto plan = *large.plan({.demand = demand, .step = 5min, .standing = large.deployment(0, 6, 3)});
    EXPECT_EQ(plan.steps.back().size, 1U);
    EXPECT_EQ(plan.short_steps, 0U);
    EXPECT_NE(plan.decisions[0].reason.find("cost less than the size that stands"), std::string::npos);
}

TEST(ScalingPlan, AnyLoadIsHeldFromTheLeadTimeOnAndChangesKeepTheirDistance) {
    const auto all = planner(plain());
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        std::vector<double> demand;
        double level = 400;
        for (int i = 0; i < 288; ++i) {
            level = std::clamp(level + 80 * random.normal(), 0.0, 800.0);
            demand.push_back(level);
        }
        const PlanQuestion question{.demand = demand, .step = 5min, .standing = all.deployment(0, 3, 3)};
        const auto plan = *all.plan(question);
        for (std::size_t k = 3; k < demand.size(); ++k)
            ASSERT_GE(plan.steps[k].per_second, demand[k]) << seed << " step " << k;
        std::size_t last_ready = 0;
        for (const auto& decision : plan.decisions) {
            ASSERT_FALSE(decision.reason.empty());
            const bool shrinks = decision.action == PlanAction::kShrink && last_ready > 0;
            ASSERT_TRUE(!shrinks || decision.begin >= last_ready + 2) << seed;
            if (decision.action != PlanAction::kKeep) last_ready = decision.ready;
        }
        const auto same = *all.plan(question);
        ASSERT_EQ(same.steps, plan.steps);
        ASSERT_EQ(same.explanation, plan.explanation);
        // a unit is a unit
        PlanOptions scaled = plain();
        scaled.sizes[0].per_second *= 1024;
        for (double& d : demand)
            d *= 1024;
        const auto larger = *planner(scaled).plan({.demand = demand, .step = 5min, .standing = question.standing});
        for (std::size_t k = 0; k < demand.size(); ++k)
            ASSERT_EQ(larger.steps[k].instances, plan.steps[k].instances);
    }
}

TEST(ScalingPlan, WhatHasNoMeaningIsAnErrorAndWhatIsOddHasAnAnswer) {
    const auto all = planner(plain());
    const std::vector<double> hole = {1, kNaN};
    const std::vector<double> flat(12, 0.0);
    EXPECT_TRUE(fails(all.plan({.demand = hole, .step = 5min}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(all.plan({.demand = {}, .step = 5min}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(all.plan({.demand = flat, .step = 0min}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(all.plan({.demand = flat, .step = 5min, .observed = kNaN}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(all.plan({.demand = flat, .step = 5min, .standing = Deployment{.size = 4}}),
                      ErrorCode::kInvalidArgument));
    // nothing runs and nothing is asked for
    EXPECT_EQ(all.plan({.demand = flat, .step = 5min})->short_steps, 0U);
    const std::vector<double> some(12, 100.0);
    const auto from_nothing = *all.plan({.demand = some, .step = 5min});
    EXPECT_EQ(from_nothing.short_steps, 3U);
    EXPECT_NE(from_nothing.decisions[0].reason.find("nothing holds"), std::string::npos)
        << from_nothing.decisions[0].reason;

    EXPECT_TRUE(fails(ScalingPlanner::make({}), ErrorCode::kInvalidArgument));
    for (const double bad : {0.0, -1.0, kNaN, std::numeric_limits<double>::infinity()}) {
        PlanOptions options = plain();
        options.sizes[0].per_second = bad;
        EXPECT_TRUE(fails(ScalingPlanner::make(options), ErrorCode::kInvalidArgument, "no measured capacity"));
    }
    PlanOptions lonely = plain();
    lonely.hosts.count = 1;
    EXPECT_TRUE(fails(ScalingPlanner::make(lonely), ErrorCode::kUnsupported, "add a host"));
    PlanOptions margin = plain();
    margin.policy.scale_in_margin = 1;
    EXPECT_TRUE(fails(ScalingPlanner::make(margin), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::analysis::capacity
