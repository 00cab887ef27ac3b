#include "coordinator/core/coordinator_core.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/coordinator.hpp"

namespace penumbra::coordinator {
namespace {

using model::CommandState;
using std::chrono::seconds;

/// A coordinator core with one host, hv1, that has the VM shop; commits happen when the test says so.
class Coordinator {
 public:
    Coordinator() : core_({.epoch = Epoch{3}, .hosts = {{.host = HostId("hv1"), .ever_seen = true}}}, now_) {}

    void step(const Event& event) {
        for (Action& action : core_.step(event, {.now = now_}, random_)) {
            if (const auto* persist = std::get_if<Persist>(&action)) batch_ = persist->batch.number;
            done.push_back(std::move(action));
        }
    }
    void commit() { step(Committed{batch_}); }
    void pass(int time_s) {
        for (int second = 0; second < time_s; ++second) {
            now_ += seconds(1);
            step(Tick{});
        }
    }
    void say(model::Body body, model::SessionId session, std::uint64_t sequence = 1) {
        step(Received{HostId("hv1"), {.session = session, .sequence = sequence, .body = std::move(body)}});
    }
    void hello(std::uint64_t number, std::vector<model::CommandReport> commands = {}) {
        say(model::Hello{.host = HostId("hv1"),
                         .instance = "a",
                         .facts = {.vms = {{.vm = VmId("shop"), .name = "shop"}, {.vm = VmId("wiki"), .name = "wiki"}}},
                         .commands = std::move(commands)},
            {}, number);
    }
    void replicate() { step(Asked{.request_id = "r1", .user = "ada", .ask = model::api::Replicate{GroupId("shop")}}); }
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
    [[nodiscard]] model::SessionId session() const { return last<model::Welcome>()->session; }
    [[nodiscard]] const Host& host() const { return core_.fleet().hosts.at(HostId("hv1")); }
    [[nodiscard]] CommandState state() const { return core_.fleet().commands.begin()->second.state; }
    [[nodiscard]] const Fleet& fleet() const { return core_.fleet(); }
    [[nodiscard]] std::size_t count(CommandState state) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            core_.fleet().commands, [&](const auto& item) { return item.second.state == state; }));
    }
    [[nodiscard]] std::size_t commands() const { return core_.fleet().commands.size(); }

    std::vector<Action> done;

 private:
    Instant now_{std::chrono::hours(1)};
    Random random_{1};
    CoordinatorCore core_;
    std::uint64_t batch_ = 0;
};

TEST(CoordinatorCore, SendsACommandOnlyWhenItIsDurable) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();
    EXPECT_EQ(coordinator.last<model::Command>(), nullptr);
    coordinator.commit();
    ASSERT_NE(coordinator.last<model::Command>(), nullptr);
    EXPECT_EQ(coordinator.last<model::Command>()->epoch, Epoch{3});
}

TEST(CoordinatorCore, AcknowledgesAResultOnlyWhenItIsDurable) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();
    coordinator.commit();
    const CommandId id = coordinator.last<model::Command>()->id;
    coordinator.say(model::CommandReport{.command = id, .state = CommandState::kSucceeded}, coordinator.session());
    EXPECT_EQ(coordinator.last<model::ResultAck>(), nullptr);
    coordinator.commit();
    ASSERT_NE(coordinator.last<model::ResultAck>(), nullptr);
    EXPECT_EQ(coordinator.state(), CommandState::kSucceeded);
}

TEST(CoordinatorCore, AnotherSessionIsAnsweredByReset) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.say(model::Heartbeat{}, {.epoch = Epoch{2}, .counter = 1});
    ASSERT_NE(coordinator.last<model::Reset>(), nullptr);
    EXPECT_EQ(coordinator.last<model::HeartbeatAck>(), nullptr);
    coordinator.say(model::Heartbeat{}, coordinator.session());
    EXPECT_NE(coordinator.last<model::HeartbeatAck>(), nullptr);
}

TEST(CoordinatorCore, SilenceMakesAnAcceptedCommandUnknownAndAHelloResolvesIt) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();
    coordinator.commit();
    const CommandId id = coordinator.last<model::Command>()->id;
    coordinator.say(model::CommandReport{.command = id, .state = CommandState::kAccepted}, coordinator.session());
    coordinator.pass(16);
    EXPECT_EQ(coordinator.host().state, model::HostState::kSuspect);
    coordinator.pass(20);
    EXPECT_EQ(coordinator.host().state, model::HostState::kUnreachable);
    EXPECT_EQ(coordinator.state(), CommandState::kUnknown);
    coordinator.hello(2, {{.command = id, .state = CommandState::kSucceeded}});
    EXPECT_EQ(coordinator.state(), CommandState::kSucceeded);
    EXPECT_EQ(coordinator.host().state, model::HostState::kOnline);
}

TEST(CoordinatorCore, DoesARequestOnce) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();
    coordinator.replicate();
    EXPECT_EQ(coordinator.commands(), 1U);
}

TEST(CoordinatorCore, StepsDownForALaterLife) {
    Coordinator coordinator;
    coordinator.say(model::Hello{.host = HostId("hv1"), .epoch_max_seen = Epoch{9}}, {});
    EXPECT_TRUE(std::holds_alternative<StepDown>(coordinator.done.back()));
    EXPECT_EQ(coordinator.last<model::Welcome>(), nullptr);
}

TEST(CoordinatorCore, AStaleFenceMeansThatAnotherLifeWasObeyed) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();
    coordinator.commit();
    const CommandId id = coordinator.last<model::Command>()->id;
    coordinator.say(
        model::CommandReport{
            .command = id, .state = CommandState::kRejected, .rejection = model::Rejection::kStaleFence},
        coordinator.session());
    coordinator.commit();
    EXPECT_EQ(coordinator.state(), CommandState::kUnknown);
    EXPECT_NE(coordinator.last<model::ResultAck>(), nullptr);
}

TEST(CoordinatorCore, AShadowWhoseReplicationFailedIsCancelledAndSaysWhatItFailedOf) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.step(Asked{.request_id = "s",
                           .user = "ada",
                           .ask = model::api::MakeShadow{{.shadow = ShadowId("s1"), .group = GroupId("shop")}}});
    for (int replication = 0; replication < 2; ++replication) {
        coordinator.commit();
        const CommandId id = coordinator.last<model::Command>()->id;
        coordinator.say(model::CommandReport{.command = id,
                                             .state = CommandState::kFailed,
                                             .message = replication == 0 ? "a first reason" : "the disk is full"},
                        coordinator.session());
    }
    coordinator.commit();
    EXPECT_EQ(coordinator.count(CommandState::kFailed), 2U);
    EXPECT_EQ(coordinator.count(CommandState::kCancelled), 1U);
    for (const auto& [id, record] : coordinator.fleet().commands) {
        if (record.state != CommandState::kCancelled) continue;
        EXPECT_EQ(record.report.message,
                  "group shop has no generation, its replication ended FAILED: the disk is full");
    }
}

TEST(CoordinatorCore, ACleanUpGoesAtOnceAndWhatWasOrderedLaterWaitsForItsEnd) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();
    coordinator.step(Asked{.request_id = "c", .user = "ada", .ask = model::api::RemoveEverything{HostId("hv1")}});
    coordinator.step(Asked{.request_id = "r2", .user = "ada", .ask = model::api::Replicate{GroupId("wiki")}});
    coordinator.commit();
    const model::Command clean = *coordinator.last<model::Command>();
    ASSERT_TRUE(std::holds_alternative<model::CleanHost>(clean.operation)) << "nothing after it was sent";
    EXPECT_EQ(coordinator.count(CommandState::kSent), 2U) << "the copy before it, and it does not wait for that one";
    coordinator.say(model::CommandReport{.command = clean.id, .state = CommandState::kSucceeded},
                    coordinator.session());
    coordinator.commit();
    const model::Command later = *coordinator.last<model::Command>();
    EXPECT_TRUE(std::holds_alternative<model::ReplicateGroup>(later.operation));
    EXPECT_GT(later.fence, clean.fence);
}

TEST(CoordinatorCore, NothingNewIsAskedOfAHostThatNobodyHears) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.pass(31);
    ASSERT_EQ(coordinator.host().state, model::HostState::kUnreachable);
    coordinator.replicate();
    coordinator.commit();
    EXPECT_EQ(coordinator.commands(), 0U);
    const auto* answer = std::get_if<Answer>(&coordinator.done.back());
    ASSERT_NE(answer, nullptr);
    const auto* failure = std::get_if<model::api::Failure>(&answer->reply.body);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(failure->code, ErrorCode::kUnavailable);
    EXPECT_NE(failure->message.find("host 'hv1' is UNREACHABLE, silent for more than"), std::string::npos)
        << failure->message;
}

model::KpiReport window_of(model::Vantage vantage) {
    return {.windows = {{.vantage = std::move(vantage), .sequence = 1, .length = seconds(1)}}};
}

TEST(CoordinatorCore, AHostSpeaksOnlyForItsOwnVms) {
    Coordinator coordinator;
    coordinator.step(Asked{.request_id = "e", .user = "ada", .ask = EnrolHost{HostId("hv2")}});
    coordinator.hello(1);
    coordinator.step(Received{HostId("hv2"), {.sequence = 1, .body = model::Hello{.host = HostId("hv2")}}});
    const model::Vantage shop{.group = GroupId("shop")};
    coordinator.step(Received{HostId("hv2"), {.session = coordinator.session(), .body = window_of(shop)}});
    coordinator.commit();
    EXPECT_EQ(coordinator.fleet().kpi.last(shop), 0U);
    EXPECT_NE(coordinator.last<model::KpiAck>(), nullptr) << "it would stand in the way of what follows it";
    coordinator.hello(2);
    coordinator.say(window_of(shop), coordinator.session());
    EXPECT_EQ(coordinator.fleet().kpi.last(shop), 1U);
}

TEST(CoordinatorCore, WindowsOfAShadowThatIsBeingMadeWait) {
    Coordinator coordinator;
    coordinator.hello(1);
    const model::Vantage arm{.group = GroupId("shop"), .shadow = ShadowId("s1"), .arm = ArmId("control")};
    coordinator.step(Asked{.request_id = "s",
                           .user = "ada",
                           .ask = model::api::MakeShadow{{.shadow = ShadowId("s1"), .group = GroupId("shop")}}});
    coordinator.say(window_of(arm), coordinator.session());
    coordinator.commit();
    ASSERT_NE(coordinator.last<model::KpiAck>(), nullptr);
    EXPECT_TRUE(coordinator.last<model::KpiAck>()->committed_up_to.empty());
    coordinator.say(
        model::ShadowReport{.version = 1, .shadows = {{.spec = {.shadow = ShadowId("s1"), .group = GroupId("shop")}}}},
        coordinator.session());
    coordinator.say(window_of(arm), coordinator.session());
    EXPECT_EQ(coordinator.fleet().kpi.last(arm), 1U);
}

TEST(CoordinatorCore, AShadowThatItsHostNoLongerHasIsGone) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.say(
        model::ShadowReport{.version = 1, .shadows = {{.spec = {.shadow = ShadowId("s1"), .group = GroupId("shop")}}}},
        coordinator.session());
    EXPECT_EQ(coordinator.fleet().shadows.size(), 1U);
    coordinator.say(model::ShadowReport{.version = 2}, coordinator.session());
    EXPECT_TRUE(coordinator.fleet().shadows.empty());
}

TEST(CoordinatorCore, AHostThatBreaksTheProtocolIsQuarantinedUntilItIsEnrolledAnew) {
    Coordinator coordinator;
    coordinator.hello(1);
    for (int breach = 0; breach < 4; ++breach)
        coordinator.say(model::KpiAck{}, coordinator.session());
    EXPECT_EQ(coordinator.host().state, model::HostState::kOnline);
    coordinator.step(Garbled{.host = HostId("hv1"), .what = "no envelope"});
    EXPECT_EQ(coordinator.host().state, model::HostState::kQuarantined);
    coordinator.hello(2);
    EXPECT_EQ(coordinator.host().state, model::HostState::kQuarantined);
    coordinator.step(Asked{.request_id = "e", .user = "ada", .ask = EnrolHost{HostId("hv1")}});
    coordinator.hello(3);
    EXPECT_EQ(coordinator.host().state, model::HostState::kOnline);
}

TEST(CoordinatorCore, FourBreachesAMinuteAreForgiven) {
    Coordinator coordinator;
    coordinator.hello(1);
    for (int breach = 0; breach < 12; ++breach) {
        if (breach % 4 == 0) coordinator.pass(70);
        coordinator.hello(static_cast<std::uint64_t>(breach) + 2);
        coordinator.say(model::KpiAck{}, coordinator.session());
    }
    EXPECT_EQ(coordinator.host().state, model::HostState::kOnline);
}

TEST(CoordinatorCore, TheOldestRequestMakesRoom) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.replicate();  // "r1"
    for (std::size_t i = 0; i + 1 < limits::kRequestsRememberedMax; ++i)
        coordinator.step(Asked{.request_id = "a" + std::to_string(i), .ask = model::api::RemoveShadow{}});
    coordinator.step(Asked{.request_id = "last", .ask = model::api::RemoveShadow{}});
    EXPECT_FALSE(coordinator.fleet().requests.contains("r1"));
    EXPECT_TRUE(coordinator.fleet().requests.contains("a0"));
    EXPECT_TRUE(coordinator.fleet().requests.contains("last"));
}

TEST(CoordinatorCore, AnAgentThatJustStartedDoesNotTakeItsVmsAway) {
    Coordinator coordinator;
    coordinator.hello(1);
    coordinator.say(model::Hello{.host = HostId("hv1"), .instance = "b"}, {}, 1);
    EXPECT_EQ(coordinator.host().record.facts.vms.size(), 2U);
}

TEST(CoordinatorCore, KeepsTheLatestIsolationReportOfAnArm) {
    Coordinator coordinator;
    coordinator.hello(1);
    const ShadowId shadow("s1");
    coordinator.say(model::ShadowReport{.version = 1, .shadows = {{.spec = {.shadow = shadow}}}},
                    coordinator.session());
    for (std::uint64_t seen = 0; seen < 2; ++seen) {
        coordinator.step(
            Asked{.user = "ada", .ask = model::api::ProbeShadow{.shadow = shadow, .arm = ArmId("treated")}});
        coordinator.commit();
        coordinator.say(model::CommandReport{.command = coordinator.last<model::Command>()->id,
                                             .state = CommandState::kSucceeded,
                                             .outcome = model::IsolationReport{.shadow = shadow,
                                                                               .arm = ArmId("treated"),
                                                                               .corpus_frames = 540,
                                                                               .seen_on_production = seen}},
                        coordinator.session());
    }
    const std::vector<model::IsolationReport>& reports = coordinator.fleet().shadows.at(shadow).isolation;
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports.front().seen_on_production, 1U);
}

}  // namespace
}  // namespace penumbra::coordinator
