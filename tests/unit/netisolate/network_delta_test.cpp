#include "netisolate/network_delta.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using testing::fails;
using testing::is_ok;

/// A sandbox and a mirror as they have to be, on a host with things of somebody else's.
class NetworkDelta : public ::testing::Test {
 protected:
    NetworkDelta() {
        observed.bridges.push_back(testing_values::production_bridge());
        Bridge& production = observed.bridges.back();
        production.flows = {{.key = {.priority = 0}, .actions = {{.kind = ActionKind::kNormal, .text = "NORMAL"}}}};
        const Bridge& added = mirror.desired.bridges.front();
        production.ports.push_back(added.ports.front());
        production.mirrors = added.mirrors;
        observed.links.insert(observed.links.end(), mirror.desired.links.begin(), mirror.desired.links.end());
        observed.spaces.push_back(mirror.desired.spaces.front());
        observed.links.push_back({.name = "eth1", .settings = {.up = true}});
        observed.links.push_back({.name = "other0", .space = "theirs", .owner = "s9/control"});
        observed.spaces.push_back({.name = "theirs"});
        observed.bridges.push_back({.name = "pnb-theirs", .owner = "s9/control"});
    }
    /// What is done towards `desired`, one line a step; the error where it is refused.
    [[nodiscard]] std::vector<std::string> steps(const NetworkState& desired, std::string_view owner) const {
        const auto found = network_delta(observed, desired, owner);
        if (!found.has_value()) return {found.error().message};
        std::vector<std::string> lines;
        std::ranges::transform(*found, std::back_inserter(lines),
                               [](const NetworkStep& step) { return describe(step); });
        return lines;
    }
    [[nodiscard]] std::vector<std::string> sandbox_steps() const { return steps(plan.desired, plan.owner); }
    [[nodiscard]] std::vector<std::string> mirror_steps() const { return steps(mirror.desired, mirror.owner); }
    [[nodiscard]] Bridge& bridge() { return *observed.bridge(plan.bridge); }
    [[nodiscard]] Bridge& production() { return *observed.bridge("br-prod"); }
    [[nodiscard]] Link& veth() { return *observed.link("", plan.veth); }

    const IsolationPlan plan = testing_values::two_card_plan();
    const MirrorPlan mirror = testing_values::shop_mirror();
    NetworkState observed = plan.desired;
};

using Lines = std::vector<std::string>;

TEST_F(NetworkDelta, WhatIsAsItHasToBeIsLeftAlone) {
    EXPECT_EQ(sandbox_steps(), Lines{});
    EXPECT_EQ(mirror_steps(), Lines{});
}

TEST_F(NetworkDelta, ATearDownTakesWhatIsOursAndNothingElse) {
    EXPECT_EQ(steps({}, mirror.owner), (Lines{"taking mirror " + mirror.mirror + " off bridge br-prod",
                                              "removing link " + mirror.desired.links[0].name,
                                              "removing link " + mirror.veth, "removing namespace " + mirror.space}));
    const Lines sandbox = steps({}, plan.owner);
    EXPECT_EQ(sandbox.front(), "removing bridge " + plan.bridge);
    EXPECT_EQ(sandbox.back(), "removing namespace " + plan.space);
    EXPECT_EQ(sandbox.size(), 2 + plan.guests.size() + 2);  // taps, veth, master; the trap goes with the veth
}

TEST_F(NetworkDelta, AMirrorRowOfSomebodyElsesToOurPortStays) {
    production().mirrors.front().owner.clear();
    EXPECT_EQ(steps({}, mirror.owner).front(), "taking port " + mirror.veth + " off bridge br-prod");
}

TEST_F(NetworkDelta, WhatSomebodyElseHasUnderOurNameIsInTheWay) {
    veth().owner.clear();
    EXPECT_TRUE(fails(network_delta(observed, plan.desired, plan.owner), ErrorCode::kConflict, "link"));
    veth().owner = plan.owner;
    bridge().owner = "s9/control";
    EXPECT_TRUE(fails(network_delta(observed, plan.desired, plan.owner), ErrorCode::kConflict, "bridge"));
    bridge().owner = plan.owner;
    production().ports.back().owner.clear();
    EXPECT_TRUE(fails(network_delta(observed, mirror.desired, mirror.owner), ErrorCode::kConflict, "port"));
}

TEST_F(NetworkDelta, ANetworkWithoutAnOwnerIsRefused) {
    EXPECT_TRUE(fails(network_delta(observed, plan.desired, ""), ErrorCode::kInvalidArgument, "owner"));
}

TEST_F(NetworkDelta, AMirrorOnABridgeThatIsNotThereIsRefused) {
    std::erase_if(observed.bridges, [](const Bridge& it) { return it.name == "br-prod"; });
    EXPECT_TRUE(fails(network_delta(observed, mirror.desired, mirror.owner), ErrorCode::kNotFound, "br-prod"));
}

TEST_F(NetworkDelta, ProductionsSettingsAndRulesAreNeverWritten) {
    production().settings = {.datapath = DatapathType::kNetdev, .fail_mode = FailMode::kSecure};
    production().flows.push_back({.key = {.priority = 9}, .actions = {output_to(2)}});
    EXPECT_EQ(mirror_steps(), Lines{});
}

TEST_F(NetworkDelta, OurBridgesSettingsArePutRightAndItsRulesWrittenAgain) {
    bridge().settings.fail_mode = FailMode::kStandalone;
    const auto found = network_delta(observed, plan.desired, plan.owner);
    ASSERT_TRUE(is_ok(found));
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ(describe(found->front()), "setting bridge " + plan.bridge);
    EXPECT_EQ(std::get<ReplaceFlows>(found->back()).add.size(), plan.desired.bridges.front().flows.size());
    bridge().settings = plan.desired.bridges.front().settings;
    bridge().settings.in_band_disabled = false;
    EXPECT_EQ(sandbox_steps(), Lines{"setting bridge " + plan.bridge});
}

TEST_F(NetworkDelta, APortWithAnotherNumberIsMadeAgain) {
    bridge().ports.front().number += 7;
    EXPECT_EQ(sandbox_steps(), (Lines{"taking port " + plan.veth + " off bridge " + plan.bridge,
                                      "adding port " + plan.veth + " to bridge " + plan.bridge}));
}

TEST_F(NetworkDelta, AMirrorsPortStandsOnlyWithItsRow) {
    production().mirrors.front().from_ports = {"eth1"};
    EXPECT_EQ(mirror_steps(), (Lines{"taking mirror " + mirror.mirror + " off bridge br-prod",
                                     "adding mirror " + mirror.mirror + " to bridge br-prod"}));
    production().mirrors.clear();
    EXPECT_EQ(mirror_steps(), (Lines{"taking port " + mirror.veth + " off bridge br-prod",
                                     "adding mirror " + mirror.mirror + " to bridge br-prod"}));
}

TEST_F(NetworkDelta, RulesThatAreNotOfThePlanGoAndChangedOnesAreReplaced) {
    const FlowKey stranger{.priority = 7, .match = "in_port=2"};
    bridge().flows.push_back({.key = stranger, .actions = {output_to(1)}});
    bridge().flows.front().actions.push_back(output_to(1));
    const auto found = network_delta(observed, plan.desired, plan.owner);
    ASSERT_TRUE(is_ok(found));
    ASSERT_EQ(found->size(), 1u);
    const auto& replaced = std::get<ReplaceFlows>(found->front());
    ASSERT_EQ(replaced.remove.size(), 1u);
    EXPECT_EQ(replaced.remove.front().key, stranger);
    ASSERT_EQ(replaced.add.size(), 1u);
    EXPECT_EQ(replaced.add.front().key, plan.desired.bridges.front().flows.front().key);
}

TEST_F(NetworkDelta, OfRulesAboveThePlanOnlyThoseThatDropStand) {
    bridge().flows.push_back({.key = {.priority = kFaultPriority, .match = "in_port=2"}, .cookie = 5});
    EXPECT_EQ(sandbox_steps(), Lines{});
    bridge().flows.push_back({.key = {.priority = kFaultPriority, .match = "in_port=3"}, .actions = {output_to(1)}});
    EXPECT_EQ(sandbox_steps(), Lines{"replacing 1 rules of bridge " + plan.bridge + " by 0"});
}

TEST_F(NetworkDelta, AddressesAndSettingsOfALinkArePutRight) {
    veth().addresses = {"192.0.2.200/24"};
    veth().settings.arp = true;
    EXPECT_EQ(sandbox_steps(), (Lines{"taking address 192.0.2.200/24 off " + plan.veth, "setting link " + plan.veth}));
    veth() = *plan.desired.link("", plan.veth);
    observed.link(plan.space, plan.trap)->addresses.clear();
    EXPECT_EQ(sandbox_steps(), Lines{"adding address 192.0.2.1/24 to " + plan.trap});
}

TEST_F(NetworkDelta, WhatTheTrapReceivesIsDeliveredLocally) {
    for (Space& space : observed.spaces)
        space.delivers_from.clear();
    EXPECT_EQ(sandbox_steps(), Lines{"delivering what " + plan.trap + " receives locally"});
}

}  // namespace
}  // namespace penumbra::netisolate
