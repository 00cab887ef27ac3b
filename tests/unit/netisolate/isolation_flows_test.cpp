#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/netisolate/flow_walk.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using Ports = std::set<std::uint32_t>;

const std::string kFirst = "52:54:00:00:00:01";   // on port 2
const std::string kSecond = "52:54:00:00:00:02";  // on port 3
const std::string kElsewhere = "52:54:00:10:00:10";
const std::string kEverybody = "ff:ff:ff:ff:ff:ff";
constexpr std::uint32_t kTrap = kTrapPortNumber;

/// Where frames go by the rules of a sandbox of two cards, without a switch.
class IsolationFlows : public ::testing::Test {
 protected:
    [[nodiscard]] Ports sent(const testing_values::Frame& frame) const {
        return testing_values::walk(plan.desired.bridges.front().flows, frame);
    }
    const IsolationPlan plan = testing_values::two_card_plan();
};

TEST_F(IsolationFlows, GuestsAndTheTrapReachEachOther) {
    EXPECT_EQ(sent({.in_port = 2, .source = kFirst, .destination = kSecond}), Ports{3});
    EXPECT_EQ(sent({.in_port = 2, .source = kFirst, .destination = kEverybody}), (Ports{kTrap, 3}));
    EXPECT_EQ(sent({.in_port = kTrap, .source = kElsewhere, .destination = kSecond}), Ports{3});
    EXPECT_EQ(sent({.in_port = kTrap, .source = kElsewhere, .destination = kEverybody}), (Ports{2, 3}));
}

TEST_F(IsolationFlows, AnAddressThatNoGuestHasEndsAtTheTrap) {
    EXPECT_EQ(sent({.in_port = 2, .source = kFirst, .destination = kElsewhere}), Ports{kTrap});
    EXPECT_EQ(sent({.in_port = kTrap, .source = kElsewhere, .destination = "52:54:00:10:00:11"}), Ports{});
}

TEST_F(IsolationFlows, ATapSendsOnlyWithItsOwnAddress) {
    EXPECT_EQ(sent({.in_port = 2, .source = kSecond, .destination = kSecond}), Ports{});
    EXPECT_EQ(sent({.in_port = 2, .source = kElsewhere, .destination = kEverybody}), Ports{});
    EXPECT_EQ(sent({.in_port = 9, .source = kFirst, .destination = kSecond}), Ports{});
}

TEST_F(IsolationFlows, NothingOfTheHostEnters) {
    EXPECT_EQ(sent({.in_port = kLocalPortNumber, .source = kFirst, .destination = kSecond}), Ports{});
    // by a rule of its own, above all others: not only because no rule admits it
    const auto& flows = plan.desired.bridges.front().flows;
    const FlowKey local{.table = 0, .priority = kPlanPriorityMax, .match = "in_port=LOCAL"};
    const auto rule = std::ranges::find(flows, local, &Flow::key);
    ASSERT_NE(rule, flows.end());
    EXPECT_TRUE(rule->only_drops());
}

TEST_F(IsolationFlows, WhatABridgeMayNotForwardIsDropped) {
    EXPECT_EQ(sent({.in_port = 2, .source = kFirst, .destination = "01:80:c2:00:00:0e"}), Ports{});
    EXPECT_EQ(sent({.in_port = 2, .source = kFirst, .destination = kSecond, .tagged = true}), Ports{});
    EXPECT_EQ(sent({.in_port = kTrap, .source = "01:00:5e:00:00:01", .destination = kFirst}), Ports{});
}

}  // namespace
}  // namespace penumbra::netisolate
