#include "coordinator/core/rollout_machine.hpp"

#include <gtest/gtest.h>

#include "tests/unit/coordinator/stage.hpp"

namespace penumbra::coordinator {
namespace {

using model::RolloutOutcome;
using model::RolloutState;
using std::chrono::seconds;

model::RolloutSpec good() {
    model::RolloutSpec spec{.rollout = RolloutId("r"),
                            .group = GroupId("shop"),
                            .change = {.action = model::CpuTune{.parameters = {{"cpu_shares", 2048}}}},
                            .lease = seconds(120),
                            .verify = seconds(20)};
    spec.trial = {.shadow = ShadowId("s1"),
                  .warm_up = seconds(5),
                  .baseline = seconds(60),
                  .settle = seconds(2),
                  .measure = seconds(120),
                  .kpis = {{.kpi = "response_time_mean", .margin = 0.2}}};
    return spec;
}

class RolloutMachine : public ::testing::Test {
 protected:
    void start(const model::RolloutSpec& spec) {
        const model::api::ReplyBody reply = stage.ask(StartRollout{spec});
        const auto* failure = std::get_if<model::api::Failure>(&reply);
        ASSERT_EQ(failure, nullptr) << failure->message;
    }
    bool until(RolloutState state) {
        return stage.pass_until([&, this] { return stage.rollout("r").state == state; });
    }
    void expect_end(RolloutOutcome outcome, const std::string& hash, const std::string& reason) {
        ASSERT_TRUE(until(RolloutState::kEnded))
            << model::to_string(stage.rollout("r").state) << ": " << stage.rollout("r").reason;
        const model::RolloutStatus& status = stage.rollout("r");
        EXPECT_EQ(model::to_string(*status.outcome), model::to_string(outcome)) << status.reason;
        EXPECT_EQ(status.targets.front().before_hash, "production");
        EXPECT_EQ(status.targets.front().final_hash, hash);
        EXPECT_NE(status.reason.find(reason), std::string::npos) << status.reason;
    }
    std::string refusal(const model::RolloutSpec& spec) {
        const model::api::ReplyBody reply = stage.ask(StartRollout{spec});
        const auto* failure = std::get_if<model::api::Failure>(&reply);
        return failure == nullptr ? "" : failure->message;
    }
    Stage stage;
};

TEST_F(RolloutMachine, AGoodChangeBecomesPersistent) {
    start(good());
    expect_end(RolloutOutcome::kSucceeded, "production+change", "persistent");
    EXPECT_EQ(stage.done["apply_effect on production"], 1);
    EXPECT_EQ(stage.done["confirm_effect on production"], 1);
    EXPECT_EQ(stage.done["apply_effect on the shadow"], 2) << "the trial and the drill";
    EXPECT_EQ(stage.rollout("r").drill_before_hash, "shadow");
    EXPECT_EQ(stage.rollout("r").drill_after_hash, "shadow");
    EXPECT_EQ(stage.standing(), std::vector<std::string>{"production"});
}

TEST_F(RolloutMachine, AChangeThatFailsItsTrialNeverReachesProduction) {
    stage.harm = 1.6;
    start(good());
    expect_end(RolloutOutcome::kRejected, "production", "FAIL");
    EXPECT_EQ(stage.done["apply_effect on production"], 0);
    EXPECT_TRUE(stage.standing().empty());
}

TEST_F(RolloutMachine, ADrillThatDoesNotComeBackRejects) {
    start(good());
    ASSERT_TRUE(until(RolloutState::kShadowTrial));
    stage.die_when(Stage::Death::kBeforeTheDeed, [&] {  // nobody dies: libvirtd does, once the trial is over
        if (stage.rollout("r").state == RolloutState::kDrillApplying)
            stage.answers["revert_effect"] = {.state = model::CommandState::kFailed, .message = "libvirtd is down"};
        return false;
    });
    expect_end(RolloutOutcome::kRejected, "production", "drill");
    EXPECT_EQ(stage.done["apply_effect on production"], 0);
}

TEST_F(RolloutMachine, AnOperatorMayConfirm) {
    model::RolloutSpec spec = good();
    spec.confirm_by = model::ConfirmBy::kOperator;
    start(spec);
    ASSERT_TRUE(until(RolloutState::kAwaitingConfirm));
    stage.ask(model::api::ConfirmRollout{RolloutId("r")});
    expect_end(RolloutOutcome::kSucceeded, "production+change", "persistent");
}

TEST_F(RolloutMachine, WithoutAWordTheLeaseRollsItBack) {
    model::RolloutSpec spec = good();
    spec.confirm_by = model::ConfirmBy::kOperator;
    start(spec);
    expect_end(RolloutOutcome::kRolledBack, "production", "its lease ran out");
    EXPECT_EQ(stage.done["confirm_effect on production"], 0);
}

TEST_F(RolloutMachine, AnOrphanSaysThatItWasRolledBackWhenTheHostReturns) {
    start(good());
    ASSERT_TRUE(until(RolloutState::kVerifying));
    stage.deaf = true;  // the agent is gone; what stands is undone by the host alone
    stage.pass(200);
    EXPECT_FALSE(stage.rollout("r").outcome.has_value());
    stage.deaf = false;
    stage.restart();
    expect_end(RolloutOutcome::kRolledBack, "production", "its lease ran out");
    EXPECT_EQ(stage.done["confirm_effect on production"], 0);
}

TEST_F(RolloutMachine, AnAbortTakesItBack) {
    for (const RolloutState state :
         {RolloutState::kShadowTrial, RolloutState::kVerifying, RolloutState::kAwaitingConfirm}) {
        model::RolloutSpec spec = good();
        spec.confirm_by = model::ConfirmBy::kOperator;
        start(spec);
        ASSERT_TRUE(until(state));
        stage.ask(model::api::AbortRollout{RolloutId("r")});
        expect_end(RolloutOutcome::kAborted, "production", "ada aborted it");
        EXPECT_TRUE(stage.standing().empty());
    }
}

TEST_F(RolloutMachine, ABrokenGuardTakesItBack) {
    model::RolloutSpec spec = good();
    spec.guards = {{.kpi = "response_time_mean", .objective = 15}};
    start(spec);
    ASSERT_TRUE(until(RolloutState::kVerifying));
    stage.harm = 3;
    expect_end(RolloutOutcome::kRolledBack, "production", "response_time_mean");
}

TEST_F(RolloutMachine, AConflictIsNotOverwrittenAndSaysSo) {
    start(good());
    ASSERT_TRUE(until(RolloutState::kVerifying));
    stage.somebody_changed_it = true;
    stage.ask(model::api::AbortRollout{RolloutId("r")});
    expect_end(RolloutOutcome::kRollbackFailed, "production+change", "could not be taken back");
}

TEST_F(RolloutMachine, AHashThatDoesNotComeBackIsARollbackThatFailed) {
    start(good());
    ASSERT_TRUE(until(RolloutState::kVerifying));
    stage.revert_leaves_a_trace = true;
    stage.ask(model::api::AbortRollout{RolloutId("r")});
    expect_end(RolloutOutcome::kRollbackFailed, "production+trace", "not what it was");
}

TEST_F(RolloutMachine, ARefusalByTheHostRejects) {
    start(good());
    ASSERT_TRUE(until(RolloutState::kShadowTrial));
    stage.die_when(Stage::Death::kBeforeTheDeed, [&] {  // nobody dies: the policy changes once the drill is over
        if (stage.rollout("r").state == RolloutState::kDrillInspecting) {
            stage.answers["apply_effect"] = {.state = model::CommandState::kRejected,
                                             .rejection = model::Rejection::kPolicy,
                                             .message = "VM 'shop' does not take part on this host"};
        }
        return false;
    });
    expect_end(RolloutOutcome::kRejected, "production", "does not take part");
    EXPECT_EQ(stage.done["apply_effect on production"], 0);
}

TEST_F(RolloutMachine, IsRefusedWithTheReason) {
    model::RolloutSpec spec = good();
    spec.change.action = model::Partition{};
    EXPECT_NE(refusal(spec).find("is no change"), std::string::npos);
    spec = good();
    spec.verify = seconds(120);
    EXPECT_NE(refusal(spec).find("runs out before"), std::string::npos);
    spec = good();
    spec.waves = {{VmId("nowhere")}};
    EXPECT_NE(refusal(spec).find("no host has a VM 'nowhere'"), std::string::npos);
    start(good());
    EXPECT_NE(refusal(good()).find("runs already"), std::string::npos);
}

struct Crash {
    RolloutState at;
    Stage::Death death;
};
class RolloutCrash : public RolloutMachine, public ::testing::WithParamInterface<Crash> {};

TEST_P(RolloutCrash, AGoodChangeStillBecomesPersistentOnce) {
    stage.die_when(GetParam().death, [&] {
        const auto found = stage.fleet().rollouts.find(RolloutId("r"));
        return found != stage.fleet().rollouts.end() && found->second.status.state == GetParam().at;
    });
    start(good());
    expect_end(RolloutOutcome::kSucceeded, "production+change", "persistent");
    EXPECT_TRUE(stage.died());
    EXPECT_EQ(stage.done["apply_effect on production"], 1);
    EXPECT_EQ(stage.done["apply_effect on the shadow"], 2);
}

TEST_P(RolloutCrash, ABadChangeStillNeverReachesProduction) {
    stage.harm = 1.6;
    stage.die_when(GetParam().death, [&] {
        const auto found = stage.fleet().rollouts.find(RolloutId("r"));
        return found != stage.fleet().rollouts.end() && found->second.status.state == GetParam().at;
    });
    start(good());
    expect_end(RolloutOutcome::kRejected, "production", "FAIL");
    EXPECT_EQ(stage.done["apply_effect on production"], 0);
}

constexpr auto kBefore = Stage::Death::kBeforeTheDeed;
constexpr auto kAfter = Stage::Death::kAfterTheDeed;
INSTANTIATE_TEST_SUITE_P(
    EveryState, RolloutCrash,
    ::testing::Values(Crash{RolloutState::kInspecting, kBefore}, Crash{RolloutState::kInspecting, kAfter},
                      Crash{RolloutState::kShadowTrial, kBefore}, Crash{RolloutState::kInspectingShadow, kBefore},
                      Crash{RolloutState::kDrillApplying, kBefore}, Crash{RolloutState::kDrillApplying, kAfter},
                      Crash{RolloutState::kDrillReverting, kBefore}, Crash{RolloutState::kDrillReverting, kAfter},
                      Crash{RolloutState::kDrillInspecting, kBefore}, Crash{RolloutState::kApplying, kBefore},
                      Crash{RolloutState::kApplying, kAfter}, Crash{RolloutState::kVerifying, kBefore},
                      Crash{RolloutState::kConfirming, kBefore}, Crash{RolloutState::kConfirming, kAfter},
                      Crash{RolloutState::kInspectingFinal, kBefore}, Crash{RolloutState::kInspectingFinal, kAfter}));

}  // namespace
}  // namespace penumbra::coordinator
