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

TEST_F(SandboxNetwork, AStepThatFailsUndoesTheOnesBeforeIt) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    // the first and the last call look, those between are steps
    for (std::uint64_t nth = 2; nth < host.links.calls(); ++nth) {
        Host fresh;
        fresh.links.fail_call(nth, kBroken);
        EXPECT_TRUE(fails(build_sandbox(plan, fresh.control, fresh.links), ErrorCode::kUnavailable, "it broke"));
        EXPECT_TRUE(fresh.untouched()) << "call " << nth << " of the links";
    }
    for (const std::uint64_t nth : {2U, 3U}) {  // the rows, then the rules
        Host fresh;
        fresh.control.fail_call(nth, kBroken);
        EXPECT_FALSE(build_sandbox(plan, fresh.control, fresh.links).has_value());
        EXPECT_TRUE(fresh.untouched()) << "call " << nth << " of the switch";
    }
}

TEST_F(SandboxNetwork, ABuildThatLeaksIsTakenAwayAgain) {
    host.control.install_datapath_flow({.in_port = plan.guests.front().tap, .outputs = {"eth1"}, .text = "leak"});
    EXPECT_TRUE(fails(build_sandbox(plan, host.control, host.links), ErrorCode::kInternal, "'leak'"));
    EXPECT_TRUE(host.untouched());
    host.control.install_datapath_flow({.in_port = mirror.veth, .outputs = {"vnet0"}, .text = "through the diode"});
    EXPECT_TRUE(fails(build_mirror(mirror, host.control, host.links), ErrorCode::kInternal, "through the diode"));
    EXPECT_TRUE(host.untouched());
}

TEST_F(SandboxNetwork, WhatTheSwitchWasStillDoingIsNotAudited) {
    host.control.install_datapath_flow({.in_port = plan.guests.front().tap, .outputs = {"eth1"}, .text = "of before"},
                                       FakeSwitch::Until::kSettled);
    EXPECT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
}

TEST_F(SandboxNetwork, ATearDownThatFailsSomewhereTakesTheRest) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    host.links.fail_call(2, kBroken);  // the first link it removes
    EXPECT_TRUE(fails(tear_down(plan.owner, host.control, host.links), ErrorCode::kUnavailable, "removing link"));
    EXPECT_EQ(host.links.state().links.size(), 2u);  // that one and eth1
    EXPECT_TRUE(host.links.state().spaces.empty());
    EXPECT_EQ(host.control.bridge(plan.bridge), nullptr);
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

TEST_F(SandboxNetwork, ASeveredSandboxHasNoHostEndUp) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    host.control.bridge(plan.bridge)->controllers.emplace_back("tcp:192.0.2.9:6653");
    EXPECT_FALSE(watch.round()->findings.empty());
    for (const Link& link : host.links.state().links) {
        EXPECT_TRUE(link.owner.empty() || !link.space.empty() || !link.settings.up) << link.name;
    }
}

TEST_F(SandboxNetwork, NothingIsRepairedWhereSomethingLeaks) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    host.control.restart();
    host.control.bridge(plan.bridge)->controllers.emplace_back("tcp:192.0.2.9:6653");
    EXPECT_FALSE(watch.round()->repaired);
    EXPECT_TRUE(host.control.flows(plan.bridge)->empty());
    host.control.bridge(plan.bridge)->controllers.clear();
    // nor afterwards: severed is for good, and its first reason stays
    EXPECT_FALSE(watch.round()->repaired);
    EXPECT_TRUE(host.control.flows(plan.bridge)->empty());
    EXPECT_FALSE(tap().settings.up);
    host.control.bridge(plan.bridge)->features.emplace_back("netflow");
    EXPECT_FALSE(watch.round()->findings.empty());
    EXPECT_NE(watch.reason().find("192.0.2.9"), std::string::npos) << watch.reason();
}

TEST_F(SandboxNetwork, AWatchWritesRulesAndNothingElse) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    host.links.state().link("", plan.guests.front().tap)->settings.up = false;
    const auto round = watch.round();
    ASSERT_TRUE(is_ok(round));
    EXPECT_FALSE(round->repaired);
    EXPECT_FALSE(tap().settings.up);
}

TEST_F(SandboxNetwork, TapsThatCouldNotBeTakenDownAreTriedAgain) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    host.control.bridge(plan.bridge)->controllers.emplace_back("tcp:192.0.2.9:6653");
    host.links.fail_call(2, kBroken);  // after the look
    EXPECT_TRUE(fails(watch.round(), ErrorCode::kUnavailable));
    EXPECT_TRUE(watch.severed());
    host.control.bridge(plan.bridge)->controllers.clear();
    EXPECT_TRUE(is_ok(watch.round()));
    EXPECT_FALSE(tap().settings.up);
}

TEST_F(SandboxNetwork, AWatchThatSeesAgainHasItsWholeTimeAgain) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    IsolationWatch watch(plan, host.control, host.links, host.clock);
    for (int i = 0; i < 3; ++i) {
        host.clock.advance(limits::kIsolationBlindMax * 2 / 3);
        host.control.fail_call(1, kBroken);
        EXPECT_FALSE(watch.round().has_value());
        EXPECT_TRUE(is_ok(watch.round()));
    }
    EXPECT_FALSE(watch.severed());
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

TEST_F(SandboxNetwork, AMirrorIsPlannedForTheBridgeAsItIs) {
    const MirrorSpec spec{.owner = "mirror:shop", .bridge = "br-prod", .mirrored = {"vnet0"}};
    const auto planned = plan_mirror_here(spec, host.control);
    ASSERT_TRUE(is_ok(planned));
    ASSERT_TRUE(is_ok(build_mirror(*planned, host.control, host.links)));
    const auto seen = sight(host.control, host.links);
    ASSERT_TRUE(is_ok(seen));
    EXPECT_TRUE(audit_mirror(*planned, seen->state, seen->datapath).empty());
    EXPECT_TRUE(fails(plan_mirror_here({.owner = "m", .bridge = "br-9", .mirrored = {"vnet0"}}, host.control),
                      ErrorCode::kNotFound, "br-9"));
    EXPECT_TRUE(fails(plan_mirror_here({.owner = "m", .bridge = "br-prod", .mirrored = {"vnet9"}}, host.control),
                      ErrorCode::kNotFound, "vnet9"));
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    EXPECT_TRUE(fails(plan_mirror_here({.owner = "m", .bridge = plan.bridge, .mirrored = {"vnet0"}}, host.control),
                      ErrorCode::kInvalidArgument, "only production"));
}

TEST_F(SandboxNetwork, WatchesThatShareALookAreBlindTogether) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, host.control, host.links)));
    ASSERT_TRUE(is_ok(build_mirror(mirror, host.control, host.links)));
    IsolationWatch of_sandbox(plan, host.control, host.links, host.clock);
    IsolationWatch of_mirror(mirror, host.control, host.links, host.clock);
    host.control.fail_call(1, kBroken);
    const auto blind = sight(host.control, host.links);
    host.clock.advance(limits::kIsolationBlindMax);
    for (IsolationWatch* watch : {&of_sandbox, &of_mirror}) {
        EXPECT_FALSE(watch->round(blind).has_value());
        EXPECT_TRUE(watch->severed());
    }
    EXPECT_FALSE(tap().settings.up);
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
