#include "agent/core/agent_core.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/agent.hpp"
#include "base/limits/link.hpp"
#include "proto/model/resource.hpp"

namespace penumbra::agent {
namespace {

using model::CommandState;
using model::Rejection;
using std::chrono::seconds;

/// An agent core with a journal that is written at once, and everything it did.
class Agent {
 public:
    explicit Agent(JournalImage image = {}) : image_(std::move(image)) { restart(); }

    void restart() {
        core_.emplace(Identity{.host = HostId("hv1"), .instance = std::to_string(++instance_)}, image_, now_, random_);
        step(PolicyRead{{.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}}});
        step(FactsObserved{{.vms = {{.vm = VmId("shop"), .name = "shop"}}}});
    }
    void step(const Event& event) {
        for (Action& action : core_->step(event, now_, random_)) {
            if (const auto* journal = std::get_if<Journal>(&action); journal != nullptr && disk_works) {
                fold(image_, journal->record);
                journalled_ = journal->number;
            }
            done.push_back(std::move(action));
        }
        if (const std::uint64_t number = std::exchange(journalled_, 0); number > 0) step(Journalled{number});
    }
    void pass(seconds time) {
        for (const Instant end = now_ + time; now_ < end;) {
            now_ = std::min(end, std::max(now_, core_->next_wake()));
            step(Tick{});
        }
    }
    void connect(std::uint64_t epoch) {
        while (!core_->contact().in_session()) {
            pass(seconds(1));
            const auto* hello = last<model::Hello>();
            if (hello == nullptr) continue;
            receive({}, model::Welcome{.session = {.epoch = Epoch{epoch}, .counter = ++counter_},
                                       .answers = last_envelope_sequence()});
        }
    }
    void receive(model::SessionId session, model::Body body) {
        step(Received{{.session = session, .body = std::move(body)}});
    }
    void command(std::string id, std::uint64_t epoch, std::uint64_t fence, model::Operation operation = kInspect) {
        const bool whole = std::holds_alternative<model::CleanHost>(operation);
        const ResourceId resource = whole ? model::whole_host(HostId("hv1")) : ResourceId("vm:shop");
        receive(core_->contact().session(), model::Command{.id = CommandId(std::move(id)),
                                                           .epoch = Epoch{epoch},
                                                           .resource = resource,
                                                           .fence = Fence{fence},
                                                           .operation = std::move(operation)});
    }
    void finish(std::string id) {
        step(WorkerReported{{.command = CommandId(std::move(id)), .state = CommandState::kSucceeded}});
    }
    template <class Body>
    [[nodiscard]] const Body* last() const {
        const Body* found = nullptr;
        for (const Action& action : done) {
            const auto* sent = std::get_if<Send>(&action);
            if (sent == nullptr) continue;
            if (const auto* body = std::get_if<Body>(&sent->envelope.body)) found = body;
        }
        return found;
    }
    template <class Kind>
    [[nodiscard]] std::size_t count() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(done, [](const Action& action) { return std::holds_alternative<Kind>(action); }));
    }
    [[nodiscard]] const AgentCore& core() const { return *core_; }

    std::vector<Action> done;
    bool disk_works = true;

 private:
    [[nodiscard]] std::uint64_t last_envelope_sequence() const {
        std::uint64_t sequence = 0;
        for (const Action& action : done) {
            const auto* sent = std::get_if<Send>(&action);
            if (sent != nullptr && std::holds_alternative<model::Hello>(sent->envelope.body))
                sequence = sent->envelope.sequence;
        }
        return sequence;
    }
    static inline const model::Operation kInspect = model::InspectVm{.vm = VmId("shop")};
    JournalImage image_;
    Random random_{7};
    Instant now_{std::chrono::hours(1)};
    std::uint64_t journalled_ = 0;
    std::uint64_t counter_ = 0;
    int instance_ = 0;
    std::optional<AgentCore> core_;
};

TEST(AgentCore, AcceptsOnlyWhatIsOnDisk) {
    Agent agent;
    agent.connect(1);
    agent.disk_works = false;
    agent.command("c1", 1, 1);
    EXPECT_EQ(agent.last<model::CommandReport>(), nullptr);
    EXPECT_EQ(agent.count<Execute>(), 0U);
    agent.step(Journalled{1'000'000});
    ASSERT_NE(agent.last<model::CommandReport>(), nullptr);
    EXPECT_EQ(agent.last<model::CommandReport>()->state, CommandState::kAccepted);
    EXPECT_EQ(agent.count<Execute>(), 1U);
}

TEST(AgentCore, ADuplicateGetsTheStoredResult) {
    Agent agent;
    agent.connect(1);
    agent.command("c1", 1, 1);
    agent.finish("c1");
    agent.command("c1", 1, 1);
    EXPECT_EQ(agent.count<Execute>(), 1U);
    EXPECT_EQ(agent.last<model::CommandReport>()->state, CommandState::kSucceeded);
    agent.restart();
    agent.connect(1);
    agent.command("c1", 1, 1);
    EXPECT_EQ(agent.count<Execute>(), 1U);
    EXPECT_EQ(agent.last<model::CommandReport>()->state, CommandState::kSucceeded);
}

TEST(AgentCore, AForgottenCommandStaysRefusedByItsFence) {
    Agent agent;
    agent.connect(1);
    agent.command("c1", 1, 1);
    agent.finish("c1");
    agent.receive(agent.core().contact().session(), model::ResultAck{.command = CommandId("c1")});
    EXPECT_TRUE(agent.core().ledger().entries().empty());
    agent.restart();
    agent.connect(1);
    agent.command("c1", 1, 1);
    EXPECT_EQ(agent.count<Execute>(), 1U);
    EXPECT_EQ(agent.last<model::CommandReport>()->rejection, Rejection::kStaleFence);
}

TEST(AgentCore, RefusesAnOlderCoordinatorLifeAfterARestart) {
    Agent agent;
    agent.connect(8);
    agent.restart();
    agent.pass(seconds(6));
    ASSERT_NE(agent.last<model::Hello>(), nullptr);
    EXPECT_EQ(agent.last<model::Hello>()->epoch_max_seen, Epoch{8});
    agent.receive({}, model::Welcome{.session = {.epoch = Epoch{7}, .counter = 1}, .answers = 1});
    EXPECT_FALSE(agent.core().contact().in_session());
    agent.connect(9);
    agent.command("c1", 8, 1);
    EXPECT_EQ(agent.last<model::CommandReport>()->rejection, Rejection::kStaleEpoch);
}

TEST(AgentCore, RecoversWhatWasRunningInsteadOfDoingItAgain) {
    Agent agent;
    agent.connect(1);
    agent.command("c1", 1, 1);
    agent.restart();
    EXPECT_EQ(agent.count<Execute>(), 1U);
    EXPECT_EQ(agent.count<Recover>(), 1U);
    agent.finish("c1");
    agent.connect(2);
    ASSERT_EQ(agent.last<model::Hello>()->commands.size(), 1U);
    EXPECT_EQ(agent.last<model::Hello>()->commands[0].state, CommandState::kSucceeded);
}

TEST(AgentCore, ARefusalIsRememberedAgainstALateDuplicate) {
    Agent agent;
    agent.connect(1);
    agent.command("c1", 1, 1);
    agent.command("c2", 1, 2);
    EXPECT_EQ(agent.last<model::CommandReport>()->rejection, Rejection::kBusy);
    agent.finish("c1");
    agent.command("c2", 1, 2);
    EXPECT_EQ(agent.last<model::CommandReport>()->rejection, Rejection::kBusy);
    agent.receive(agent.core().contact().session(), model::ResultAck{.command = CommandId("c2")});
    agent.command("c2", 1, 2);
    EXPECT_EQ(agent.last<model::CommandReport>()->rejection, Rejection::kStaleFence);
    EXPECT_EQ(agent.count<Execute>(), 1U);
}

TEST(AgentCore, WhatWasOrderedBeforeTheHostWasCleanedIsNotPutOnItAfterwards) {
    const model::ReplicateGroup replicate{.group = GroupId("shop")};
    Agent agent;
    agent.connect(1);
    const auto refused = [&](const std::string& id, std::uint64_t fence, Rejection why) {
        agent.command(id, 1, fence, replicate);
        const auto* report = agent.last<model::CommandReport>();
        return report->command == CommandId(id) && report->rejection == why;
    };
    agent.command("clean", 1, 20, model::CleanHost{});
    EXPECT_TRUE(refused("before", 11, Rejection::kPrecondition));
    EXPECT_NE(agent.last<model::CommandReport>()->message.find("order it again"), std::string::npos);
    EXPECT_TRUE(refused("meanwhile", 21, Rejection::kBusy)) << "later, but the clean-up is not over";
    agent.finish("clean");
    agent.receive(agent.core().contact().session(), model::ResultAck{.command = CommandId("clean")});
    agent.restart();
    agent.connect(1);
    EXPECT_TRUE(refused("late", 12, Rejection::kPrecondition)) << "the fence is on disk";
    agent.command("away", 1, 13, model::DestroyShadow{.shadow = ShadowId("s1")});
    EXPECT_EQ(agent.last<model::CommandReport>()->state, CommandState::kAccepted)
        << "what takes ours away is not refused";
    agent.finish("away");
    agent.command("after", 1, 22, replicate);
    EXPECT_EQ(agent.last<model::CommandReport>()->state, CommandState::kAccepted);
}

TEST(AgentCore, SendsAResultUntilItIsAcknowledged) {
    Agent agent;
    agent.connect(1);
    agent.command("c1", 1, 1);
    agent.finish("c1");
    agent.done.clear();
    for (int beat = 0; beat < 3; ++beat) {
        agent.receive(agent.core().contact().session(), model::HeartbeatAck{.state_seen = 1'000});
        agent.pass(limits::kHeartbeatInterval);
    }
    EXPECT_NE(agent.last<model::CommandReport>(), nullptr);
    agent.receive(agent.core().contact().session(), model::ResultAck{.command = CommandId("c1")});
    agent.done.clear();
    agent.receive(agent.core().contact().session(), model::HeartbeatAck{.state_seen = 1'000});
    agent.pass(limits::kHeartbeatInterval * 2);
    EXPECT_EQ(agent.last<model::CommandReport>(), nullptr);
}

TEST(AgentCore, AHeartbeatHasEveryTroubleAndHintOrSaysHowManyMoreThereAre) {
    Agent agent;
    agent.connect(1);
    HealthObserved health{.troubles = {"a", "b"}, .hints = {"c"}};
    agent.step(health);
    agent.pass(limits::kHeartbeatInterval);
    EXPECT_EQ(agent.last<model::Heartbeat>()->troubles, health.troubles);
    EXPECT_EQ(agent.last<model::Heartbeat>()->hints, health.hints);
    health.troubles.assign(limits::kTroublesMax + 3, "t");
    agent.step(health);
    agent.receive(agent.core().contact().session(), model::HeartbeatAck{.state_seen = 1'000});
    agent.pass(limits::kHeartbeatInterval);
    const std::vector<std::string> told = agent.last<model::Heartbeat>()->troubles;
    ASSERT_EQ(told.size(), limits::kTroublesMax);
    EXPECT_EQ(told[limits::kTroublesMax - 2], "t");
    EXPECT_TRUE(told.back().starts_with("4 more")) << told.back();
}

TEST(AgentCore, SilenceMakesANewSocketAndAHello) {
    Agent agent;
    agent.connect(1);
    agent.done.clear();
    agent.pass(seconds(25));
    EXPECT_FALSE(agent.core().contact().in_session());
    EXPECT_EQ(agent.count<Reconnect>(), 1U);
    EXPECT_NE(agent.last<model::Hello>(), nullptr);
}

TEST(AgentCore, OnlyAResetOfItsOwnSessionCounts) {
    Agent agent;
    agent.connect(1);
    agent.receive({.epoch = Epoch{1}, .counter = 99}, model::Reset{.reason = "old"});
    EXPECT_TRUE(agent.core().contact().in_session());
    agent.receive(agent.core().contact().session(), model::Reset{.reason = "restarted"});
    EXPECT_FALSE(agent.core().contact().in_session());
}

TEST(AgentCore, AForgedCoordinatorWithAValidEpochWritesNothingPastTheCeiling) {
    Agent agent;
    agent.connect(1);
    agent.step(PolicyRead{{.ceiling = model::Ceiling::kObserve, .vms = {"*"}, .effect_kinds = {"*"}}});
    const model::EffectSpec change{.id = EffectId("e"), .target = {.vm = VmId("shop")}, .action = model::CpuTune{}};
    std::uint64_t fence = 0;
    for (const model::Operation& operation :
         {model::Operation(model::ApplyEffect{change}), model::Operation(model::ReplicateGroup{GroupId("shop")}),
          model::Operation(model::ConfirmEffect{EffectId("e")}),
          model::Operation(model::CreateShadow{{.group = GroupId("shop")}})}) {
        ++fence;
        agent.command("forged-" + std::to_string(fence), 1'000, fence, operation);
    }
    EXPECT_EQ(agent.count<Execute>(), 0U);
    EXPECT_EQ(agent.last<model::CommandReport>()->state, CommandState::kRejected);
}

TEST(AgentCore, SaysNothingOfShadowsBeforeItHasLooked) {
    Agent agent;
    agent.connect(1);
    EXPECT_EQ(agent.last<model::ShadowReport>(), nullptr);
    agent.step(ShadowsObserved{});
    EXPECT_NE(agent.last<model::ShadowReport>(), nullptr);
}

TEST(AgentCore, ADestroyedShadowIsNotReportedAgain) {
    Agent agent;
    agent.connect(1);
    agent.step(ShadowsObserved{{{.spec = {.shadow = ShadowId("s1"), .group = GroupId("shop")}}}});
    agent.command("c1", 1, 1, model::DestroyShadow{ShadowId("s1")});
    agent.step(ShadowsObserved{});
    agent.finish("c1");
    EXPECT_TRUE(agent.last<model::ShadowReport>()->shadows.empty());
}

}  // namespace
}  // namespace penumbra::agent
