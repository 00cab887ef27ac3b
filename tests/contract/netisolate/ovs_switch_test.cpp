#include "netisolate/ovs/ovs_switch.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/contract/netisolate/private_switch.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using testing::fails;
using testing::is_ok;

/// A real Open vSwitch, userspace datapath, in a network namespace of this process.
class OvsSwitchTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { running = new testing_values::PrivateSwitch; }
    static void TearDownTestSuite() { delete running; }
    void SetUp() override {
        if (!running->ready()) GTEST_SKIP() << running->reason();
    }

    /// The plan's bridge on devices of Open vSwitch's own, which need nothing of the kernel.
    Bridge bridge_of_plan() const {
        Bridge bridge = plan.desired.bridges.front();
        for (SwitchPort& port : bridge.ports)
            port.type = "internal";
        return bridge;
    }
    Result<void> make() {
        TRY(control.transact(std::vector<SwitchChange>{AddBridge{bridge_of_plan()}}));
        return control.apply(plan.bridge, {.add = plan.desired.bridges.front().flows});
    }
    void TearDown() override {
        if (!running->ready()) return;
        const auto left = control.bridges();
        if (!left.has_value()) return;
        for (const Bridge& bridge : *left) {
            EXPECT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{RemoveBridge{bridge}})));
        }
    }

    static testing_values::PrivateSwitch* running;
    OvsSwitch control{running->run_dir()};
    const IsolationPlan plan = testing_values::two_card_plan();
};
testing_values::PrivateSwitch* OvsSwitchTest::running = nullptr;

TEST_F(OvsSwitchTest, SaysItsVersionWhileItAnswers) {
    const auto version = control.version();
    ASSERT_TRUE(is_ok(version));
    EXPECT_TRUE(version->starts_with("ovs-vswitchd (Open vSwitch) ")) << *version;
    EXPECT_EQ(version->find('\n'), std::string::npos);
    EXPECT_TRUE(fails(OvsSwitch("/nonexistent").version(), ErrorCode::kUnavailable));
}

TEST_F(OvsSwitchTest, ABridgeIsReadBackAsItWasMade) {
    ASSERT_TRUE(is_ok(make()));
    const auto bridges = control.bridges();
    ASSERT_TRUE(is_ok(bridges));
    ASSERT_EQ(bridges->size(), 1u);
    const Bridge& bridge = bridges->front();
    EXPECT_EQ(bridge.owner, plan.owner);
    EXPECT_EQ(bridge.settings, plan.desired.bridges.front().settings);
    EXPECT_TRUE(bridge.controllers.empty());
    EXPECT_TRUE(bridge.features.empty());
    for (const SwitchPort& port : bridge_of_plan().ports) {
        ASSERT_NE(find_port(bridge, port.name), nullptr);
        EXPECT_EQ(find_port(bridge, port.name)->number, port.requested_number);
        EXPECT_EQ(find_port(bridge, port.name)->owner, plan.owner);
    }
}

TEST_F(OvsSwitchTest, ThePlansFlowsAreReadBackLetterByLetter) {
    ASSERT_TRUE(is_ok(make()));
    const auto flows = control.flows(plan.bridge);
    ASSERT_TRUE(is_ok(flows));
    const auto& planned = plan.desired.bridges.front().flows;
    ASSERT_EQ(flows->size(), planned.size());
    for (std::size_t i = 0; i < planned.size(); ++i) {
        EXPECT_TRUE(flows->at(i).does_what(planned[i])) << describe(flows->at(i)) << "\n" << describe(planned[i]);
    }
}

TEST_F(OvsSwitchTest, AHostileFlowIsReadAsWhatItIs) {
    ASSERT_TRUE(is_ok(make()));
    for (const char* action : {"NORMAL", "FLOOD", "ALL", "LOCAL", "IN_PORT", "CONTROLLER:65535", "set_field:1->reg0"}) {
        const Flow hostile{.key = {.priority = 7}, .actions = {{.text = action}}};
        ASSERT_TRUE(is_ok(control.apply(plan.bridge, {.add = {hostile}}))) << action;
        const auto flows = control.flows(plan.bridge);
        ASSERT_TRUE(is_ok(flows));
        const auto found = std::ranges::find(*flows, hostile.key, &Flow::key);
        ASSERT_NE(found, flows->end());
        ASSERT_EQ(found->actions.size(), 1u);
        EXPECT_NE(found->actions.front().kind, ActionKind::kOutput) << action;
        EXPECT_NE(found->actions.front().kind, ActionKind::kGotoTable) << action;
    }
}

TEST_F(OvsSwitchTest, ARefusedRuleChangesNothing) {
    ASSERT_TRUE(is_ok(make()));
    const auto before = control.flows(plan.bridge);
    const Flow good{.key = {.priority = 7, .match = "in_port=2"}};
    const Flow bad{.key = {.priority = 8, .match = "in_port=2"}, .actions = {{.text = "group:77"}}};
    EXPECT_FALSE(control.apply(plan.bridge, {.add = {good, bad}}).has_value());
    EXPECT_EQ(control.flows(plan.bridge)->size(), before->size());
}

TEST_F(OvsSwitchTest, AFaultsRulesAreFoundAndRemovedByTheirCookie) {
    ASSERT_TRUE(is_ok(make()));
    const Flow fault{.key = {.priority = kFaultPriority, .match = "in_port=2"},
                     .cookie = 0x77,
                     .hard_timeout = std::chrono::seconds(60)};
    ASSERT_TRUE(is_ok(control.apply(plan.bridge, {.add = {fault}})));
    const auto flows = control.flows(plan.bridge);
    const auto found = std::ranges::find(*flows, fault.key, &Flow::key);
    ASSERT_NE(found, flows->end());
    EXPECT_TRUE(found->does_what(fault));
    EXPECT_EQ(found->hard_timeout, fault.hard_timeout);
    ASSERT_TRUE(is_ok(control.apply(plan.bridge, {.remove_cookies = {0x77}})));
    EXPECT_EQ(control.flows(plan.bridge)->size(), plan.desired.bridges.front().flows.size());
}

TEST_F(OvsSwitchTest, APortWithoutADeviceLeavesNothing) {
    Bridge bridge = bridge_of_plan();
    bridge.ports.front().type.clear();
    EXPECT_TRUE(fails(control.transact(std::vector<SwitchChange>{AddBridge{bridge}}), ErrorCode::kNotFound,
                      bridge.ports.front().name));
    EXPECT_TRUE(control.bridges()->empty());
}

TEST_F(OvsSwitchTest, AMirrorComesAndGoesWithItsPort) {
    ASSERT_TRUE(is_ok(make()));
    const SwitchPort port{.name = "pnc-test", .type = "internal", .owner = "m"};
    const Mirror mirror{
        .name = "pnm-test", .owner = "m", .output_port = port.name, .from_ports = {plan.veth}, .to_ports = {plan.veth}};
    ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{AddMirror{plan.bridge, port, mirror}})));
    auto bridges = control.bridges();
    ASSERT_NE(find_mirror(bridges->front(), mirror.name), nullptr);
    EXPECT_EQ(*find_mirror(bridges->front(), mirror.name), mirror);
    ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{RemoveMirror{plan.bridge, port, mirror}})));
    bridges = control.bridges();
    EXPECT_TRUE(bridges->front().mirrors.empty());
    EXPECT_EQ(find_port(bridges->front(), port.name), nullptr);
}

TEST_F(OvsSwitchTest, ReadsInstalledFlowsAndSettles) {
    ASSERT_TRUE(is_ok(make()));
    EXPECT_TRUE(is_ok(control.settle()));
    EXPECT_TRUE(is_ok(control.datapath_flows()));
}

TEST_F(OvsSwitchTest, ABridgeThatIsNotThereIsNamed) {
    EXPECT_TRUE(fails(control.flows("absent"), ErrorCode::kNotFound, "absent"));
}

}  // namespace
}  // namespace penumbra::netisolate
