#include "netisolate/isolation_plan.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/network.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using testing::fails;

const GuestCard kCard{{{0x52, 0x54, 0, 0, 0, 1}}};

TEST(IsolationPlan, TheBridgeIsSecureAndOurs) {
    const IsolationPlan plan = testing_values::two_card_plan();
    const Bridge& bridge = plan.desired.bridges.front();
    EXPECT_EQ(bridge.owner, "s1/treated");
    EXPECT_EQ(bridge.settings.fail_mode, FailMode::kSecure);
    EXPECT_TRUE(bridge.settings.in_band_disabled);
    EXPECT_TRUE(bridge.controllers.empty());
}

TEST(IsolationPlan, FlowsSendOnlyToPortsOfThePlanOrForward) {
    const IsolationPlan plan = testing_values::two_card_plan();
    for (const Flow& flow : plan.desired.bridges.front().flows) {
        EXPECT_LE(flow.key.priority, kPlanPriorityMax);
        EXPECT_EQ(flow.cookie, plan.cookie);
        for (const FlowAction& action : flow.actions) {
            if (action.kind == ActionKind::kGotoTable) {
                EXPECT_GT(action.operand, flow.key.table);
            } else {
                EXPECT_EQ(action.kind, ActionKind::kOutput);
                EXPECT_LE(action.operand, 3u);
            }
        }
    }
}

TEST(IsolationPlan, OnTheUserspaceDatapathTheHostIsDeafToEveryHostEnd) {
    const IsolationPlan plan = testing_values::two_card_plan();
    for (const Link& link : plan.desired.links) {
        if (!link.space.empty() || link.kind == LinkKind::kBridge) continue;
        EXPECT_FALSE(link.settings.arp);
        EXPECT_FALSE(link.settings.ipv6);
        EXPECT_FALSE(link.settings.master.empty()) << link.name;
    }
}

TEST(IsolationPlan, TheMasterStaysDown) {
    const IsolationPlan plan = testing_values::two_card_plan();
    const auto master = std::ranges::find(plan.desired.links, LinkKind::kBridge, &Link::kind);
    ASSERT_NE(master, plan.desired.links.end());
    EXPECT_FALSE(master->settings.up);
}

TEST(IsolationPlan, TheCookieTellsSandboxesApart) {
    const auto other = plan_isolation({.shadow = ShadowId("s1"), .arm = ArmId("control"), .cards = {kCard}});
    ASSERT_TRUE(other.has_value());
    EXPECT_NE(testing_values::two_card_plan().cookie, 0u);
    EXPECT_NE(testing_values::two_card_plan().cookie, other->cookie);
}

TEST(IsolationPlan, TheKernelsDatapathNeedsNoMaster) {
    for (const Link& link : testing_values::two_card_plan(DatapathType::kSystem).desired.links) {
        EXPECT_TRUE(link.settings.master.empty());
    }
}

TEST(IsolationPlan, InterfaceNamesFitTheKernelsRoom) {
    for (const Link& link : testing_values::two_card_plan().desired.links) {
        EXPECT_LE(link.name.size(), limits::kInterfaceNameBytesMax);
    }
}

TEST(IsolationPlan, RefusesCardsThatCannotBe) {
    SandboxSpec spec{.shadow = ShadowId("s"), .arm = ArmId("a")};
    EXPECT_TRUE(fails(plan_isolation(spec), ErrorCode::kInvalidArgument, "0 network cards"));
    spec.cards = {kCard, kCard};
    EXPECT_TRUE(fails(plan_isolation(spec), ErrorCode::kInvalidArgument, "two cards"));
    spec.cards = {{{{0x01, 0, 0x5e, 0, 0, 1}}}};
    EXPECT_TRUE(fails(plan_isolation(spec), ErrorCode::kInvalidArgument, "multicast"));
    spec.cards.assign(limits::kGuestPortsPerSandboxMax + 1, kCard);
    EXPECT_TRUE(fails(plan_isolation(spec), ErrorCode::kInvalidArgument, "network cards"));
}

}  // namespace
}  // namespace penumbra::netisolate
