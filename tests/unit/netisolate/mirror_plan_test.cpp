#include "netisolate/mirror_plan.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using testing::fails;

TEST(MirrorPlan, ItsRowReservesThePortAndCopiesBothDirections) {
    const MirrorPlan plan = testing_values::shop_mirror();
    const Bridge& bridge = plan.desired.bridges.front();
    ASSERT_EQ(bridge.mirrors.size(), 1u);
    const Mirror& mirror = bridge.mirrors.front();
    EXPECT_EQ(mirror.output_port, plan.veth);
    EXPECT_EQ(mirror.from_ports, std::vector<std::string>{"vnet0"});
    EXPECT_EQ(mirror.to_ports, mirror.from_ports);
    EXPECT_FALSE(mirror.selects_all);
    EXPECT_EQ(mirror.owner, plan.owner);
}

TEST(MirrorPlan, TheBridgeStaysSomebodyElses) {
    const Bridge& bridge = testing_values::shop_mirror().desired.bridges.front();
    EXPECT_TRUE(bridge.owner.empty());
    EXPECT_TRUE(bridge.flows.empty());
}

TEST(MirrorPlan, BothEndsOfTheDiodeAreDeaf) {
    const MirrorPlan plan = testing_values::shop_mirror();
    for (const Link& link : plan.desired.links) {
        EXPECT_FALSE(link.settings.arp) << link.name;
        EXPECT_FALSE(link.settings.ipv6) << link.name;
        EXPECT_TRUE(link.addresses.empty()) << link.name;
        EXPECT_EQ(link.settings.up, link.kind != LinkKind::kBridge) << link.name;
    }
    EXPECT_NE(plan.desired.link(plan.space, plan.capture), nullptr);
}

TEST(MirrorPlan, OnlyOnTheUserspaceDatapathTheHostsEndHasAMaster) {
    const MirrorPlan userspace = testing_values::shop_mirror();
    EXPECT_FALSE(userspace.desired.link("", userspace.veth)->settings.master.empty());
    const auto kernel = plan_mirror({.owner = "mirror:shop", .bridge = "br-prod", .mirrored = {"vnet0"}});
    EXPECT_TRUE(kernel->desired.link("", kernel->veth)->settings.master.empty());
}

TEST(MirrorPlan, RefusesWhatNamesNothing) {
    const MirrorSpec whole{.owner = "mirror:shop", .bridge = "br-prod", .mirrored = {"vnet0"}};
    MirrorSpec spec = whole;
    spec.owner.clear();
    EXPECT_TRUE(fails(plan_mirror(spec), ErrorCode::kInvalidArgument, "owner"));
    spec = whole;
    spec.bridge.clear();
    EXPECT_TRUE(fails(plan_mirror(spec), ErrorCode::kInvalidArgument, "bridge"));
    spec = whole;
    spec.mirrored.clear();
    EXPECT_TRUE(fails(plan_mirror(spec), ErrorCode::kInvalidArgument, "0 ports"));
}

}  // namespace
}  // namespace penumbra::netisolate
