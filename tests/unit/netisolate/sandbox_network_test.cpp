#include "netisolate/sandbox_network.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/limits/network.hpp"
#include "netisolate/fake/fake_links.hpp"
#include "netisolate/fake/fake_switch.hpp"
#include "netisolate/network_delta.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using testing::fails;
using testing::is_ok;

const Error kBroken{.code = ErrorCode::kUnavailable, .message = "it broke"};

struct Host {
    testing::FakeClock clock;
    FakeSwitch control{clock};
    FakeLinks links;
    Host() {
        control.put_bridge(testing_values::production_bridge());
        links.state().links.push_back({.name = "eth1", .settings = {.up = true}});
    }
    /// Nothing of ours stands, and production is as it was.
    [[nodiscard]] bool untouched() {
        return links.state().links.size() == 1 && links.state().spaces.empty() && control.bridges()->size() == 1 &&
               control.bridges()->front().ports == testing_values::production_bridge().ports &&
               control.bridges()->front().mirrors.empty();
    }
};

class SandboxNetwork : public ::testing::Test {
 protected:
    Host host;
    const IsolationPlan plan = testing_values::two_card_plan();
    const MirrorPlan mirror = testing_values::shop_mirror();
    [[nodiscard]] const Link& tap() { return *host.links.state().link("", plan.guests.front().tap); }
};

TEST_F(SandboxNetwork, BuildsWhatWasPlannedAndASecondBuildChangesNothing) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    const auto state = observe(host.control, host.links, plan.owner);
    ASSERT_TRUE(is_ok(state));
    const auto steps = network_delta(*state, plan.desired, plan.owner);
    ASSERT_TRUE(is_ok(steps));
    for (const NetworkStep& step : *steps)
        ADD_FAILURE() << describe(step);
    EXPECT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
}

TEST_F(SandboxNetwork, TearDownLeavesNothing) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    ASSERT_TRUE(is_ok(build_mirror(mirror, host.control, host.links)));
    ASSERT_TRUE(is_ok(tear_down(plan.owner, host.control, host.links)));
    ASSERT_TRUE(is_ok(tear_down(mirror.owner, host.control, host.links)));
    EXPECT_TRUE(host.untouched());
    EXPECT_TRUE(is_ok(tear_down(plan.owner, host.control, host.links)));
}

TEST_F(SandboxNetwork, AFailureAtAnyCallLeavesNothingHalfMade) {
    std::uint64_t broken = 0;
    for (std::uint64_t nth = 1; nth <= 40; ++nth) {
        for (const bool in_switch : {false, true}) {
            Host fresh;
            in_switch ? fresh.control.fail_call(nth, kBroken) : fresh.links.fail_call(nth, kBroken);
            if (build_sandbox(plan, fresh.control, fresh.links).has_value()) continue;
            ++broken;
            // after the last step of making there is only looking: what stands is whole, and a tear-down takes it
            if (!fresh.untouched()) {
                EXPECT_TRUE(is_ok(build_sandbox(plan, fresh.control, fresh.links)));
            }
            EXPECT_TRUE(is_ok(tear_down(plan.owner, fresh.control, fresh.links)));
            EXPECT_TRUE(fresh.untouched()) << "call " << nth << (in_switch ? " of the switch" : " of the links");
        }
    }
    EXPECT_GE(broken, 15u);
}

TEST_F(SandboxNetwork, SomebodyElsesLinkOfThatNameIsNotTouched) {
    host.links.state().links.push_back({.name = plan.veth});
    EXPECT_TRUE(fails(build_sandbox(plan, host.control, host.links), ErrorCode::kConflict, plan.veth));
    EXPECT_NE(host.links.state().link("", plan.veth), nullptr);
}

TEST_F(SandboxNetwork, AMirrorReservesItsPortInTheSameTransaction) {
    ASSERT_TRUE(is_ok(build_mirror(mirror, host.control, host.links)));
    const Bridge& bridge = *host.control.bridge("br-prod");
    ASSERT_EQ(bridge.mirrors.size(), 1u);
    EXPECT_EQ(bridge.mirrors.front().output_port, mirror.veth);
    EXPECT_NE(find_port(bridge, mirror.veth), nullptr);
}

TEST_F(SandboxNetwork, AMirrorOfAPortThatIsNotThereMakesNothing) {
    const auto absent = plan_mirror({.owner = "mirror:x", .bridge = "br-prod", .mirrored = {"vnet9"}});
    EXPECT_TRUE(fails(build_mirror(*absent, host.control, host.links), ErrorCode::kNotFound, "vnet9"));
    EXPECT_TRUE(host.untouched());
}

TEST_F(SandboxNetwork, AHostileNormalFlowTakesTheTapsDownAndIsNamed) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    EXPECT_TRUE(watch.round()->findings.empty());
    EXPECT_TRUE(tap().settings.up);
    ASSERT_TRUE(is_ok(host.control.apply(
        plan.bridge,
        {.add = {{.key = {.priority = 65535}, .actions = {{.kind = ActionKind::kNormal, .text = "NORMAL"}}}}})));
    EXPECT_FALSE(watch.round()->findings.empty());
    EXPECT_TRUE(watch.severed());
    EXPECT_NE(watch.reason().find("NORMAL"), std::string::npos);
    EXPECT_FALSE(tap().settings.up);
}

TEST_F(SandboxNetwork, RulesThatARestartTookAreWrittenAgain) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    host.control.restart();
    EXPECT_TRUE(watch.round()->repaired);
    EXPECT_EQ(host.control.flows(plan.bridge)->size(), plan.desired.bridges.front().flows.size());
    EXPECT_FALSE(watch.severed());
}

TEST_F(SandboxNetwork, AWatchThatCannotLookTakesTheTapsDown) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    host.control.fail_call(1, kBroken);
    EXPECT_FALSE(watch.round().has_value());
    EXPECT_FALSE(watch.severed());
    host.clock.advance(limits::kIsolationBlindMax);
    host.control.fail_call(1, kBroken);
    EXPECT_FALSE(watch.round().has_value());
    EXPECT_TRUE(watch.severed());
    EXPECT_FALSE(tap().settings.up);
}

TEST_F(SandboxNetwork, AMirrorWhoseRowIsGoneIsCutOff) {
    ASSERT_TRUE(is_ok(build_mirror(mirror, host.control, host.links)));
    IsolationWatch watch(mirror, host.control, host.links, host.clock);
    host.control.bridge("br-prod")->mirrors.clear();
    EXPECT_FALSE(watch.round()->findings.empty());
    EXPECT_FALSE(host.links.state().link("", mirror.veth)->settings.up);
}

TEST_F(SandboxNetwork, AFaultsRuleStandsThroughARepair) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    const Flow fault{.key = {.priority = kFaultPriority, .match = "in_port=2"}, .cookie = 5};
    ASSERT_TRUE(is_ok(host.control.apply(plan.bridge, {.add = {fault}})));
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    EXPECT_EQ(host.control.flows(plan.bridge)->size(), plan.desired.bridges.front().flows.size() + 1);
}

}  // namespace
}  // namespace penumbra::netisolate
