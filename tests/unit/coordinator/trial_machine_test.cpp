#include "coordinator/core/trial_machine.hpp"

#include <gtest/gtest.h>

#include "tests/unit/coordinator/stage.hpp"

namespace penumbra::coordinator {
namespace {

using model::TrialKind;
using model::TrialState;
using model::VerdictKind;
using std::chrono::seconds;

model::TrialSpec spec_of(TrialKind kind) {
    model::TrialSpec spec{
        .trial = TrialId("t"),
        .shadow = ShadowId("s1"),
        .kind = kind,
        .warm_up = seconds(5),
        .baseline = seconds(60),
        .settle = seconds(2),
        .measure = seconds(120),
        .kpis = {{.kpi = "response_time_mean", .margin = 0.2}, {.kpi = "error_rate", .margin = 0.05}}};
    if (kind == TrialKind::kFault || kind == TrialKind::kChange) {
        spec.effect = {.lease = seconds(300), .action = model::CpuTune{.parameters = {{"vcpu_quota", 20'000}}}};
    }
    if (kind == TrialKind::kLoad) {
        spec.measure = seconds(30);
        spec.load_multiples = {1, 2, 3};
        spec.kpis = {{.kpi = "response_time_p95", .objective = 50}};
    }
    return spec;
}

class TrialMachine : public ::testing::Test {
 protected:
    void start(const model::TrialSpec& spec) {
        const model::api::ReplyBody reply = stage.ask(StartTrial{spec});
        const auto* failure = std::get_if<model::api::Failure>(&reply);
        ASSERT_EQ(failure, nullptr) << failure->message;
    }
    model::Verdict run(const model::TrialSpec& spec) {
        start(spec);
        EXPECT_TRUE(stage.pass_until([&] { return stage.trial("t").state == TrialState::kEnded; }))
            << model::to_string(stage.trial("t").state) << ": " << stage.trial("t").reason;
        EXPECT_TRUE(stage.standing().empty());
        return stage.trial("t").verdict.value_or(model::Verdict{.reason = "none"});
    }
    bool until(TrialState state) {
        return stage.pass_until([&, this] { return stage.trial("t").state == state; });
    }
    std::string refusal(const model::TrialSpec& spec) {
        const model::api::ReplyBody reply = stage.ask(StartTrial{spec});
        const auto* failure = std::get_if<model::api::Failure>(&reply);
        return failure == nullptr ? "" : failure->message;
    }
    Stage stage;
};

TEST_F(TrialMachine, ArmsThatAgreePass) {
    const model::Verdict verdict = run(spec_of(TrialKind::kAa));
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << verdict.reason;
    EXPECT_GT(verdict.n, 100U);
    EXPECT_EQ(stage.done["stop_replay"], 1);
}

TEST_F(TrialMachine, APlantedSlowdownFailsTheSameTrial) {
    stage.treated_always = 1.3;
    const model::Verdict verdict = run(spec_of(TrialKind::kAa));
    EXPECT_EQ(verdict.kind, VerdictKind::kFail) << verdict.reason;
}

TEST_F(TrialMachine, FiveWindowsDecideNothing) {
    model::TrialSpec spec = spec_of(TrialKind::kAa);
    spec.measure = seconds(5);
    EXPECT_EQ(run(spec).kind, VerdictKind::kInconclusive);
}

TEST_F(TrialMachine, AHarmlessChangePassesAndIsTakenBack) {
    const model::Verdict verdict = run(spec_of(TrialKind::kChange));
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << verdict.reason;
    EXPECT_EQ(stage.done["apply_effect on the shadow"], 1);
    EXPECT_EQ(stage.done["revert_effect on the shadow"], 1);
    EXPECT_EQ(stage.done["apply_effect on production"], 0);
    EXPECT_TRUE(stage.trial("t").aa.has_value());
}

TEST_F(TrialMachine, AFaultThatHurtsFailsAndNamesTheKpi) {
    stage.harm = 1.5;
    const model::Verdict verdict = run(spec_of(TrialKind::kFault));
    EXPECT_EQ(verdict.kind, VerdictKind::kFail);
    EXPECT_NE(verdict.reason.find("response_time_mean"), std::string::npos) << verdict.reason;
}

TEST_F(TrialMachine, AChangeThatHurtsBadlyEndsEarly) {
    stage.harm = 6;
    const model::Verdict verdict = run(spec_of(TrialKind::kChange));
    EXPECT_EQ(verdict.kind, VerdictKind::kFail) << verdict.reason;
    EXPECT_NE(verdict.reason.find("ended early"), std::string::npos) << verdict.reason;
    EXPECT_LT(stage.trial("t").ended, stage.trial("t").begun + seconds(5 + 60 + 2 + 110));
}

TEST_F(TrialMachine, LoadIsHeldAtEveryStep) {
    const model::Verdict verdict = run(spec_of(TrialKind::kLoad));
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << verdict.reason;
    EXPECT_EQ(stage.trial("t").load.size(), 3U);
    EXPECT_NE(verdict.reason.find("3.00 times"), std::string::npos) << verdict.reason;
}

TEST_F(TrialMachine, LoadThatBreaksTheObjectiveSaysWhere) {
    stage.capacity_multiple = 1.5;
    const model::Verdict verdict = run(spec_of(TrialKind::kLoad));
    EXPECT_EQ(verdict.kind, VerdictKind::kFail) << verdict.reason;
    EXPECT_EQ(stage.trial("t").load.size(), 2U) << "the third step would only hurt";
    EXPECT_NE(verdict.reason.find("at 2.00 times"), std::string::npos) << verdict.reason;
    EXPECT_NE(verdict.reason.find("up to 1.00 times"), std::string::npos) << verdict.reason;
}

TEST_F(TrialMachine, ASeveredArmIsInvalidAndNamesTheFlow) {
    start(spec_of(TrialKind::kChange));
    ASSERT_TRUE(until(TrialState::kMeasuring));
    stage.severed = true;
    stage.restart();  // says its state anew
    ASSERT_TRUE(until(TrialState::kEnded));
    EXPECT_EQ(stage.trial("t").verdict->kind, VerdictKind::kInvalid);
    EXPECT_NE(stage.trial("t").verdict->reason.find("NORMAL"), std::string::npos);
    EXPECT_TRUE(stage.standing().empty());
}

TEST_F(TrialMachine, AnEffectThatTheHostUndidIsInvalid) {
    start(spec_of(TrialKind::kChange));
    ASSERT_TRUE(until(TrialState::kMeasuring));
    stage.pass(20);
    stage.undo_effects("the target was restarted");
    ASSERT_TRUE(until(TrialState::kEnded));
    EXPECT_EQ(stage.trial("t").verdict->kind, VerdictKind::kInvalid);
    EXPECT_NE(stage.trial("t").verdict->reason.find("was restarted"), std::string::npos);
}

TEST_F(TrialMachine, WindowsThatDoNotComeMakeItInvalid) {
    stage.answers["start_replay"] = {.state = model::CommandState::kSucceeded};
    const model::Verdict verdict = run(spec_of(TrialKind::kAa));
    EXPECT_EQ(verdict.kind, VerdictKind::kInvalid);
    EXPECT_NE(verdict.reason.find("no windows"), std::string::npos) << verdict.reason;
}

TEST_F(TrialMachine, ARefusedEffectIsInvalidAndNothingIsReverted) {
    stage.answers["apply_effect"] = {.state = model::CommandState::kRejected,
                                     .rejection = model::Rejection::kPolicy,
                                     .message = "effects of kind 'domain.cputune' are not allowed on this host"};
    const model::Verdict verdict = run(spec_of(TrialKind::kChange));
    EXPECT_EQ(verdict.kind, VerdictKind::kInvalid);
    EXPECT_NE(verdict.reason.find("not allowed"), std::string::npos) << verdict.reason;
    EXPECT_EQ(stage.done["stop_replay"], 1);
}

TEST_F(TrialMachine, AnOperatorAbortsItInEveryState) {
    for (const TrialState state : {TrialState::kWarmingUp, TrialState::kBaseline, TrialState::kMeasuring}) {
        start(spec_of(TrialKind::kChange));
        ASSERT_TRUE(until(state));
        stage.ask(model::api::AbortTrial{TrialId("t")});
        ASSERT_TRUE(until(TrialState::kEnded));
        EXPECT_EQ(stage.trial("t").verdict->kind, VerdictKind::kAborted);
        EXPECT_TRUE(stage.standing().empty());
    }
}

TEST_F(TrialMachine, IsRefusedWithTheReason) {
    model::TrialSpec spec = spec_of(TrialKind::kChange);
    spec.shadow = ShadowId("s9");
    EXPECT_NE(refusal(spec).find("no shadow 's9'"), std::string::npos);
    spec = spec_of(TrialKind::kChange);
    spec.treated = ArmId("third");
    EXPECT_NE(refusal(spec).find("no arm 'third'"), std::string::npos);
    spec = spec_of(TrialKind::kChange);
    spec.effect->lease = seconds(60);
    EXPECT_NE(refusal(spec).find("needs 122 s"), std::string::npos);
    spec = spec_of(TrialKind::kLoad);
    spec.kpis.clear();
    EXPECT_NE(refusal(spec).find("response_time_p95"), std::string::npos);
    start(spec_of(TrialKind::kAa));
    EXPECT_NE(refusal(spec_of(TrialKind::kAa)).find("runs on shadow"), std::string::npos);
    const model::api::ReplyBody removal = stage.ask(model::api::RemoveShadow{ShadowId("s1")});
    EXPECT_TRUE(std::holds_alternative<model::api::Failure>(removal));
}

struct Crash {
    TrialKind kind;
    TrialState at;
    Stage::Death death = Stage::Death::kBeforeTheDeed;
};
class TrialCrash : public TrialMachine, public ::testing::WithParamInterface<Crash> {};

TEST_P(TrialCrash, TheVerdictIsTheSame) {
    stage.die_when(GetParam().death, [&] {
        const auto found = stage.fleet().trials.find(TrialId("t"));
        return found != stage.fleet().trials.end() && found->second.status.state == GetParam().at;
    });
    start(spec_of(GetParam().kind));
    ASSERT_TRUE(until(TrialState::kEnded))
        << model::to_string(stage.trial("t").state) << ": " << stage.trial("t").reason;
    EXPECT_TRUE(stage.died());
    EXPECT_EQ(stage.trial("t").verdict->kind, VerdictKind::kPass) << stage.trial("t").verdict->reason;
    EXPECT_TRUE(stage.standing().empty());
    EXPECT_LE(stage.done["apply_effect on the shadow"], 1);
}

constexpr auto kAfter = Stage::Death::kAfterTheDeed;
INSTANTIATE_TEST_SUITE_P(
    EveryState, TrialCrash,
    ::testing::Values(Crash{TrialKind::kAa, TrialState::kStartingReplay}, Crash{TrialKind::kAa, TrialState::kWarmingUp},
                      Crash{TrialKind::kAa, TrialState::kMeasuring}, Crash{TrialKind::kChange, TrialState::kBaseline},
                      Crash{TrialKind::kChange, TrialState::kApplying},
                      Crash{TrialKind::kChange, TrialState::kMeasuring},
                      Crash{TrialKind::kChange, TrialState::kReverting},
                      Crash{TrialKind::kChange, TrialState::kStoppingReplay},
                      Crash{TrialKind::kChange, TrialState::kStartingReplay, kAfter},
                      Crash{TrialKind::kChange, TrialState::kApplying, kAfter},
                      Crash{TrialKind::kChange, TrialState::kReverting, kAfter},
                      Crash{TrialKind::kChange, TrialState::kStoppingReplay, kAfter},
                      Crash{TrialKind::kLoad, TrialState::kApplying}, Crash{TrialKind::kLoad, TrialState::kMeasuring}));

}  // namespace
}  // namespace penumbra::coordinator
