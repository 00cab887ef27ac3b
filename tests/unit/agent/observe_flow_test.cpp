// Production observed without a shadow, in the whole agent on fakes: when it is, when it is not, how it makes room for
// a replay, and what is left of it whatever fails and whenever the agent dies.
#include "agent/observe_flow.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/durable_file.hpp"
#include "base/limits/flows.hpp"
#include "base/limits/network.hpp"
#include "replay/report_outbox.hpp"
#include "tests/unit/agent/whole_agent.hpp"

namespace penumbra::agent {
namespace {

using model::CommandState;
using std::chrono::seconds;
using testing::is_ok;

const model::CreateShadow kCreate{
    .shadow = {.shadow = ShadowId("s1"), .group = GroupId("shop"), .scale = 0.5, .arms = {ArmId("control")}}};
constexpr const char* kCapture = "penumbra-capture@shop.service";

class ObserveFlowTest : public ::testing::Test {
 protected:
    void restart() {
        agent_.reset();
        agent_ = std::make_unique<WholeAgent>(host_);
    }
    void fall_to(model::Ceiling ceiling, std::set<std::string> vms = {"*"}) {
        agent_->set_policy({.ceiling = ceiling, .vms = std::move(vms), .effect_kinds = {"*"}, .may_run_shadows = true});
    }
    /// What the capture was told; empty while none was.
    std::string told() { return read_file(host_.run.path() / "capture" / "shop.env", 4096).value_or(""); }
    bool observes() {
        return host_.control.bridge("br-prod")->mirrors.size() == 1 &&
               *host_.units.state(kCapture) == systemd::UnitState::kActive && !told().empty() &&
               told().find("--arm") == std::string::npos;
    }
    std::string mirror() { return host_.control.bridge("br-prod")->mirrors.at(0).owner; }
    bool says(const std::string& words) {
        return std::ranges::any_of(agent_->troubles(),
                                   [&](const std::string& said) { return said.find(words) != std::string::npos; });
    }
    void replay() {
        ASSERT_EQ(agent_->order(kCreate).state, CommandState::kSucceeded);
        ASSERT_EQ(agent_->order(model::StartReplay{.shadow = ShadowId("s1")}).state, CommandState::kSucceeded);
    }

    WholeHost host_;
    std::unique_ptr<WholeAgent> agent_ = std::make_unique<WholeAgent>(host_);
};

TEST_F(ObserveFlowTest, ProductionIsMeasuredWithoutAShadow) {
    std::filesystem::create_directories(host_.run.path() / "capture" / "shop");
    const auto outbox =
        replay::ReportOutbox::listen(agent_->loop(), host_.run.path() / "capture" / "shop" / "report", [](double) {});
    ASSERT_TRUE(is_ok(outbox));
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    for (std::uint64_t at = 1; at <= 3; ++at) {
        (*outbox)->push({.sequence = at, .begin = host_.clock.wall(), .length = seconds(1), .requests = 20});
        agent_->pass(seconds(2));
    }
    agent_->pass(seconds(8));
    ASSERT_EQ(agent_->windows().size(), 3U);
    EXPECT_EQ(agent_->windows().front().vantage, model::Vantage{.group = GroupId("shop")});
    EXPECT_TRUE((*outbox)->empty());
    agent_->pass(2 * limits::kMirrorLease);
    EXPECT_TRUE(observes()) << "the mirror's lease is kept up";
    EXPECT_TRUE(host_.is_clean(1));
}

TEST_F(ObserveFlowTest, RootDecidesWhetherItIs) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    fall_to(model::Ceiling::kObserve);
    agent_->pass(seconds(2));
    EXPECT_TRUE(host_.is_clean());
    EXPECT_EQ(*host_.units.state(kCapture), systemd::UnitState::kInactive);
    fall_to(model::Ceiling::kReplicate, {"another"});
    agent_->pass(seconds(20));
    EXPECT_TRUE(host_.is_clean());
    fall_to(model::Ceiling::kReplicate, {kShop.text()});
    agent_->pass(seconds(2));
    EXPECT_TRUE(observes());
}

TEST_F(ObserveFlowTest, FollowsTheVmAndOnlyThoseThatServeSomethingKnown) {
    host_.hypervisor.add_vm({.vm = VmId("22222222-0000-4000-8000-000000000002"),
                             .name = "unnamed",
                             .nics = {{.target = "tap-2", .network = "br-prod"}}});
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    const std::string first = mirror();
    host_.hypervisor.power_off(kShop);
    agent_->pass(limits::kInventoryInterval + seconds(2));
    EXPECT_TRUE(host_.is_clean());
    host_.control.bridge("br-prod")->ports.push_back({.name = "tap-new", .number = 7});
    host_.hypervisor.add_vm(
        {.vm = kShop, .name = "shop", .nics = {{.target = "tap-new", .network = "br-prod", .model = "virtio"}}});
    agent_->pass(limits::kInventoryInterval + seconds(2));
    ASSERT_TRUE(observes());
    EXPECT_EQ(host_.control.bridge("br-prod")->mirrors.front().from_ports, std::vector<std::string>{"tap-new"});
    EXPECT_NE(mirror(), first);
}

TEST_F(ObserveFlowTest, AReplayTakesTheMirrorOverAndGivesItBack) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    const std::string first = mirror();
    replay();
    agent_->pass(limits::kInventoryInterval * 2);
    EXPECT_FALSE(observes());
    EXPECT_NE(told().find("--arm control="), std::string::npos) << told();
    EXPECT_EQ(mirror(), first);
    ASSERT_EQ(agent_->order(model::StopReplay{.shadow = ShadowId("s1")}).state, CommandState::kSucceeded);
    agent_->pass(seconds(2));
    EXPECT_TRUE(observes());
    EXPECT_EQ(mirror(), first);
}

TEST_F(ObserveFlowTest, AReplayAsAnotherGroupOfTheSameVmIsNotDisturbed) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    model::CreateShadow by_uuid = kCreate;
    by_uuid.shadow.group = GroupId(kShop.text());
    ASSERT_EQ(agent_->order(by_uuid).state, CommandState::kSucceeded);
    ASSERT_EQ(agent_->order(model::StartReplay{.shadow = ShadowId("s1")}).state, CommandState::kSucceeded);
    agent_->pass(limits::kInventoryInterval * 2);
    EXPECT_EQ(*host_.units.state(kCapture), systemd::UnitState::kInactive);
    EXPECT_EQ(host_.control.bridge("br-prod")->mirrors.size(), 1U);
    restart();
    agent_->pass(seconds(20));
    EXPECT_EQ(*host_.units.state(kCapture), systemd::UnitState::kInactive);
    ASSERT_EQ(agent_->order(model::DestroyShadow{ShadowId("s1")}).state, CommandState::kSucceeded);
    agent_->pass(seconds(7));
    EXPECT_TRUE(observes());
    EXPECT_TRUE(host_.is_clean(1));
}

TEST_F(ObserveFlowTest, ACaptureThatEndsIsStartedAgainLaterAndLater) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(is_ok(host_.units.stop(kCapture)));
    agent_->pass(limits::kObserveInterval + seconds(7));
    EXPECT_TRUE(says("penumbra-capture@shop.service has ended"));
    host_.units.add_units("penumbra-capture@", false);
    agent_->pass(std::chrono::minutes(30));
    EXPECT_TRUE(host_.is_clean()) << "nothing half-made stays";
    EXPECT_TRUE(says("production of group shop is not measured now"));
    ASSERT_EQ(agent_->order(kCreate).state, CommandState::kSucceeded) << "a shadow is none of its business";
    // The waits have grown, so that it is not tried in the next seconds, but they have an end.
    host_.units.add_units("penumbra-capture@", true);
    agent_->pass(std::chrono::duration_cast<seconds>(limits::kObserveRetryMax) + limits::kObserveInterval);
    EXPECT_TRUE(observes());
    agent_->pass(seconds(12));
    EXPECT_FALSE(says("is not measured"));
}

TEST_F(ObserveFlowTest, AMirrorThatIsNoLongerOneIsCutOffAtOnceAndMadeAnew) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    const std::string first = mirror();
    const std::string veth = host_.control.bridge("br-prod")->mirrors.front().output_port;
    // As when its VM's port went and came back: the row stands, and selects nothing any more.
    host_.control.bridge("br-prod")->mirrors.front().from_ports.clear();
    host_.control.bridge("br-prod")->mirrors.front().to_ports.clear();
    agent_->pass(limits::kMirrorAuditInterval + seconds(6));  // a heartbeat comes every 5 s
    EXPECT_EQ(host_.links.state().link("", veth), nullptr) << "what was cut off is taken away";
    EXPECT_TRUE(says("no longer copies what it was made for"));
    agent_->pass(seconds(40));
    ASSERT_TRUE(observes());
    EXPECT_NE(mirror(), first);
    EXPECT_FALSE(says("no longer copies"));
    EXPECT_TRUE(host_.is_clean(1));
}

TEST_F(ObserveFlowTest, AReplaysMirrorThatIsCutOffIsSaidAndEndsWithItsLease) {
    replay();
    const std::string first = mirror();
    const std::string veth = host_.control.bridge("br-prod")->mirrors.front().output_port;
    host_.control.install_datapath_flow({.in_port = veth, .outputs = {"tap-shop"}, .text = "through the diode"});
    agent_->pass(seconds(12));
    ASSERT_NE(host_.links.state().link("", veth), nullptr);
    EXPECT_FALSE(host_.links.state().link("", veth)->settings.up);
    EXPECT_TRUE(says("through the diode"));
    agent_->pass(limits::kMirrorLease + seconds(10));
    EXPECT_TRUE(host_.control.bridge("br-prod")->mirrors.empty()) << "nobody keeps it up";
    ASSERT_EQ(agent_->order(model::StopReplay{.shadow = ShadowId("s1")}).state, CommandState::kSucceeded);
    agent_->pass(seconds(12));
    ASSERT_TRUE(observes());
    EXPECT_NE(mirror(), first);
    EXPECT_FALSE(says("through the diode"));
}

TEST_F(ObserveFlowTest, AFailureAtAnyCallIsATroubleUntilItWorks) {
    const auto broken_at = [](auto fail_nth, std::uint64_t calls_max) {
        std::uint64_t failed = 0;
        for (std::uint64_t nth = 1; nth <= calls_max; ++nth) {
            WholeHost host;
            WholeAgent agent(host);
            fail_nth(host, nth);
            agent.pass(seconds(12));  // a heartbeat comes every 5 s
            const bool observed = !host.control.bridges()->front().mirrors.empty();
            if (!observed) {
                ++failed;
                EXPECT_FALSE(agent.troubles().empty()) << "call " << nth;
            }
            agent.pass(std::chrono::minutes(2));
            EXPECT_TRUE(host.is_clean(1)) << "call " << nth;
        }
        EXPECT_GT(failed, 0U);
    };
    broken_at([](WholeHost& host, std::uint64_t nth) { host.control.fail_call(nth, kBroken); }, 8);
    broken_at([](WholeHost& host, std::uint64_t nth) { host.links.fail_call(nth, kBroken); }, 12);
}

TEST_F(ObserveFlowTest, ACleanHostStaysCleanUntilSomebodyWantsSomethingOfIt) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    ASSERT_EQ(agent_->order(model::CleanHost{}).state, CommandState::kSucceeded);
    agent_->pass(std::chrono::minutes(2));
    EXPECT_TRUE(host_.is_clean());
    EXPECT_EQ(*host_.units.state(kCapture), systemd::UnitState::kInactive);
    EXPECT_EQ(host_.dead_man.armed(), 0U);
    ASSERT_EQ(agent_->order(model::ReplicateGroup{GroupId("shop")}).state, CommandState::kSucceeded);
    agent_->pass(seconds(2));
    EXPECT_TRUE(observes());
}

TEST_F(ObserveFlowTest, AnAgentThatIsStoppedTakesItAway) {
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    agent_->stop();
    agent_.reset();
    EXPECT_TRUE(host_.is_clean());
    EXPECT_EQ(*host_.units.state(kCapture), systemd::UnitState::kInactive);
    EXPECT_EQ(host_.dead_man.armed(), 0U);
}

TEST_F(ObserveFlowTest, WhatWasMeasuredWhileTheAgentWasDeadIsHeardOut) {
    std::filesystem::create_directories(host_.run.path() / "capture" / "shop");
    agent_->pass(seconds(2));
    ASSERT_TRUE(observes());
    agent_.reset();
    const auto loop = EventLoop::create();
    ASSERT_TRUE(is_ok(loop));
    const auto outbox =
        replay::ReportOutbox::listen(**loop, host_.run.path() / "capture" / "shop" / "report", [](double) {});
    ASSERT_TRUE(is_ok(outbox));
    for (std::uint64_t at = 1; at <= 3; ++at)
        (*outbox)->push({.sequence = at, .begin = host_.clock.wall(), .length = seconds(1), .requests = 20});
    host_.clock.advance(seconds(3));
    agent_ = std::make_unique<WholeAgent>(host_);
    for (int turns = 0; turns < 4; ++turns)  // what is ready is done, nothing is waited for
        ASSERT_TRUE(is_ok((*loop)->turn(std::chrono::nanoseconds(0))));
    agent_->pass(seconds(20));
    EXPECT_EQ(agent_->windows().size(), 3U);
    EXPECT_TRUE(observes()) << "and it begins anew";
}

// The agent dies at every step it writes down, from the first observation through a replay and back; the next life
// observes on one mirror, and what the former one left is gone.
TEST_F(ObserveFlowTest, DyingAnywhereLeavesOneObservation) {
    bool finished = false;
    for (std::size_t index = 0; !finished; index += 2) {
        WholeHost host;
        auto agent = std::make_unique<WholeAgent>(host);
        host.points.cut_at(index);
        try {
            agent->pass(seconds(2));
            for (const model::Operation& operation :
                 {model::Operation(kCreate), model::Operation(model::StartReplay{.shadow = ShadowId("s1")}),
                  model::Operation(model::StopReplay{.shadow = ShadowId("s1")}),
                  model::Operation(model::DestroyShadow{ShadowId("s1")})})
                ASSERT_EQ(agent->order(operation).state, CommandState::kSucceeded);
            agent->pass(limits::kMirrorLease);
            finished = true;
        } catch (const journal::fake::Cut&) {
        }
        host.points.cut_at({});
        agent.reset();
        WholeAgent next(host);
        next.pass(seconds(20));
        ASSERT_EQ(next.order(model::DestroyShadow{ShadowId("s1")}).state, CommandState::kSucceeded);
        next.pass(seconds(20));
        EXPECT_TRUE(host.is_clean(1)) << "point " << index;
        EXPECT_EQ(*host.units.state(kCapture), systemd::UnitState::kActive) << "point " << index;
        next.stop();
        EXPECT_TRUE(host.is_clean()) << "point " << index;
    }
}

}  // namespace
}  // namespace penumbra::agent
