// What verbs ask, wait for, say and end with, against a coordinator that says what the test laid down.

#include "cli/verbs.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/histogram_log.hpp"
#include "base/durable_file.hpp"
#include "base/limits/cli.hpp"
#include "cli/wait.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/cli/fake_coordinator.hpp"

namespace penumbra::cli {
namespace {

using model::CommandState;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::FakeCoordinator;

model::CommandView command(CommandState state) {
    return {.id = CommandId("7"),
            .host = HostId("hv1"),
            .operation = "replicate_group",
            .state = state,
            .reason = state == CommandState::kFailed ? "the disk is full" : "",
            .progress = 0.25,
            .time_left = std::chrono::seconds(90)};
}

class Verbs : public ::testing::Test {
 protected:
    std::filesystem::path file(std::string_view text) {
        const auto path = folder_.path() / "trial.toml";
        EXPECT_TRUE(is_ok(write_file_durably(path, text)));
        return path;
    }
    /// In the order the verb asks; one group, no forecast. Events and windows follow.
    void says_what_a_report_begins_with() {
        coordinator_.says(std::vector<model::HostView>{{.host = HostId("hv1")}});
        coordinator_.says(std::vector<model::GroupView>{{.group = GroupId("shop"), .host = HostId("hv1")}});
        coordinator_.says(std::vector<model::ShadowView>{});
        coordinator_.says(std::vector<model::TrialStatus>{});
        coordinator_.says(std::vector<model::RolloutStatus>{});
        coordinator_.says(std::vector<model::IsolationReport>{});
        coordinator_.says(std::vector<model::CommandView>{});
        coordinator_.says(model::api::Failure{ErrorCode::kNotFound, "no history"});
    }
    void ends(model::VerdictKind kind) {
        coordinator_.says(model::api::Accepted{"trial:aa"});
        model::TrialStatus trial{.spec = {.trial = TrialId("aa")}, .begun = coordinator_.now};
        coordinator_.says(std::vector{trial});
        trial.state = model::TrialState::kEnded;
        trial.verdict = model::Verdict{.kind = kind};
        coordinator_.says(std::vector{trial});
    }

    penumbra::testing::TemporaryDirectory folder_;
    FakeCoordinator coordinator_;
    Session session_ = coordinator_.session();
};

TEST_F(Verbs, ALongVerbShowsShareAndTimeLeftUntilItsEnd) {
    coordinator_.says(model::api::Accepted{"command:7"});
    coordinator_.says(std::vector{command(CommandState::kRunning)});
    coordinator_.says(std::vector{command(CommandState::kSucceeded)});
    coordinator_.says(std::vector<model::GroupView>{{.group = GroupId("other")}, {.group = GroupId("shop")}});
    EXPECT_EQ(*replicate(session_, GroupId("shop")), ExitCode::kDone);
    ASSERT_EQ(coordinator_.progress.size(), 2U);
    EXPECT_EQ(coordinator_.progress[0], "replicate_group on hv1: RUNNING, 25 %, 90 s left");
    EXPECT_EQ(coordinator_.progress[1], "");
    EXPECT_NE(coordinator_.printed.find("shop"), std::string::npos);
    EXPECT_EQ(coordinator_.printed.find("other"), std::string::npos);
}

TEST_F(Verbs, ARolloutSaysHowFarItsTrialIs) {
    model::RolloutStatus rollout{.spec = {.rollout = RolloutId("bad")},
                                 .state = model::RolloutState::kShadowTrial,
                                 .trial = TrialId("rollout-bad"),
                                 .begun = coordinator_.now};
    coordinator_.says(std::vector{rollout});
    coordinator_.says(
        std::vector{model::TrialStatus{.spec = {.trial = TrialId("rollout-bad"), .measure = std::chrono::seconds(60)},
                                       .state = model::TrialState::kMeasuring,
                                       .begun = coordinator_.now - std::chrono::seconds(15)}});
    rollout.state = model::RolloutState::kEnded;
    coordinator_.says(std::vector{rollout});
    const auto ended = wait_for_rollout(session_, RolloutId("bad"));
    ASSERT_TRUE(is_ok(ended));
    ASSERT_EQ(coordinator_.progress.size(), 2U);
    EXPECT_EQ(coordinator_.progress[0].substr(0, 52), "rollout bad: SHADOW_TRIAL; trial rollout-bad: MEASUR");
}

TEST_F(Verbs, WithoutWaitingOnlyTheNameIsSaid) {
    session_.wait = false;
    coordinator_.says(model::api::Accepted{"command:7"});
    EXPECT_EQ(*replicate(session_, GroupId("shop")), ExitCode::kDone);
    EXPECT_EQ(coordinator_.printed, "command:7\n");
    EXPECT_EQ(coordinator_.asked.size(), 1U);
}

TEST_F(Verbs, HowACommandEndedIsTheError) {
    const auto ended = [this](CommandState state) {
        FakeCoordinator coordinator;
        coordinator.says(model::api::Accepted{"command:7"});
        coordinator.says(std::vector{command(state)});
        Session session = coordinator.session();
        return replicate(session, GroupId("shop"));
    };
    EXPECT_TRUE(fails(ended(CommandState::kFailed), ErrorCode::kInternal, "ended FAILED: the disk is full"));
    EXPECT_TRUE(fails(ended(CommandState::kRejected), ErrorCode::kPermissionDenied, "hv1 refused"));
    EXPECT_TRUE(fails(ended(CommandState::kUnknown), ErrorCode::kDeadlineExceeded, "contact with hv1 was lost"));
}

TEST_F(Verbs, ACoordinatorThatIsAwayForAWhileIsWaitedFor) {
    coordinator_.says(model::api::Accepted{"command:7"});
    for (int i = 0; i < 5; ++i)
        coordinator_.says(fail(ErrorCode::kUnavailable, "nobody listens"));
    coordinator_.says(std::vector{command(CommandState::kSucceeded)});
    coordinator_.says(std::vector<model::GroupView>{});
    EXPECT_EQ(*replicate(session_, GroupId("shop")), ExitCode::kDone);
    EXPECT_NE(coordinator_.progress[0].find("does not answer"), std::string::npos);
}

TEST_F(Verbs, ACoordinatorThatStaysAwayIsGivenUp) {
    coordinator_.says(model::api::Accepted{"command:7"});
    coordinator_.says(fail(ErrorCode::kUnavailable, "nobody listens"));
    EXPECT_TRUE(fails(replicate(session_, GroupId("shop")), ErrorCode::kUnavailable, "nobody listens"));
    EXPECT_EQ(coordinator_.pauses, limits::kCoordinatorAwayMax / limits::kLookInterval);
}

TEST_F(Verbs, ATrialEndsWithTheCodeOfItsVerdict) {
    using model::VerdictKind;
    const std::pair<VerdictKind, ExitCode> ends_with[] = {{VerdictKind::kPass, ExitCode::kDone},
                                                          {VerdictKind::kFail, ExitCode::kFail},
                                                          {VerdictKind::kInconclusive, ExitCode::kInconclusive},
                                                          {VerdictKind::kInvalid, ExitCode::kInvalid},
                                                          {VerdictKind::kAborted, ExitCode::kAborted}};
    for (const auto& [kind, code] : ends_with) {
        coordinator_ = FakeCoordinator();
        session_ = coordinator_.session();
        ends(kind);
        EXPECT_EQ(*trial_run(session_, file("name = \"aa\"")), code);
        EXPECT_EQ(coordinator_.asked[0], model::api::RequestBody(model::api::RunTrial{"trial.toml", "name = \"aa\""}));
    }
}

TEST_F(Verbs, AMissingFileAsksNobody) {
    EXPECT_TRUE(fails(trial_run(session_, folder_.path() / "none.toml"), ErrorCode::kNotFound, "none.toml"));
    EXPECT_TRUE(coordinator_.asked.empty());
}

TEST_F(Verbs, ARolloutEndsWithTheCodeOfItsOutcome) {
    using model::RolloutOutcome;
    const std::pair<RolloutOutcome, ExitCode> ends_with[] = {
        {RolloutOutcome::kSucceeded, ExitCode::kDone},
        {RolloutOutcome::kRejected, ExitCode::kRejected},
        {RolloutOutcome::kRolledBack, ExitCode::kRolledBack},
        {RolloutOutcome::kAborted, ExitCode::kAborted},
        {RolloutOutcome::kRollbackFailed, ExitCode::kRollbackFailed}};
    for (const auto& [outcome, code] : ends_with) {
        coordinator_ = FakeCoordinator();
        session_ = coordinator_.session();
        coordinator_.says(model::api::Accepted{"rollout:good"});
        coordinator_.says(std::vector{model::RolloutStatus{
            .spec = {.rollout = RolloutId("good")}, .state = model::RolloutState::kEnded, .outcome = outcome}});
        EXPECT_EQ(*rollout_apply(session_, file("")), code);
    }
}

TEST_F(Verbs, AnAbortThatRolledBackIsWhatWasAskedFor) {
    coordinator_.says(model::api::Accepted{"rollout:good"});
    coordinator_.says(std::vector{model::RolloutStatus{.spec = {.rollout = RolloutId("good")},
                                                       .state = model::RolloutState::kEnded,
                                                       .outcome = model::RolloutOutcome::kRolledBack}});
    EXPECT_EQ(*rollout_abort(session_, RolloutId("good")), ExitCode::kDone);
}

TEST_F(Verbs, AProbeAsksForEveryArmAndFailsOnOneFrameSeen) {
    const auto probe = [](std::uint64_t seen, std::uint64_t control) {
        FakeCoordinator coordinator;
        coordinator.says(std::vector{model::ShadowView{
            .status = {.spec = {.shadow = ShadowId("s1"), .arms = {ArmId("control"), ArmId("treated")}}}}});
        for (int arm = 0; arm < 2; ++arm) {
            coordinator.says(model::api::Accepted{"command:7"});
            coordinator.says(std::vector{command(CommandState::kSucceeded)});
        }
        model::IsolationReport report{.shadow = ShadowId("s1"), .arm = ArmId("control"), .corpus_frames = 500};
        report.positive_control_seen = 500;
        std::vector reports{report, report};
        reports[1].arm = ArmId("treated");
        reports[1].seen_on_production = seen;
        reports[1].positive_control_seen = control;
        coordinator.says(reports);
        Session session = coordinator.session();
        const auto ended = shadow_probe(session, ShadowId("s1"), ArmId());
        EXPECT_EQ(coordinator.asked[1],
                  model::api::RequestBody(model::api::ProbeShadow{ShadowId("s1"), ArmId("control")}));
        EXPECT_EQ(coordinator.asked[3],
                  model::api::RequestBody(model::api::ProbeShadow{ShadowId("s1"), ArmId("treated")}));
        return *ended;
    };
    EXPECT_EQ(probe(0, 500), ExitCode::kDone);
    EXPECT_EQ(probe(1, 500), ExitCode::kFailed);
    EXPECT_EQ(probe(0, 0), ExitCode::kFailed);  // a listener that hears nothing proves nothing
}

TEST_F(Verbs, ATokenIsShownWithTheCommandThatUsesIt) {
    coordinator_.says(model::api::Token{.token = "abc", .server_key = "k$e&y"});
    EXPECT_EQ(*host_token(session_, HostId("hv1")), ExitCode::kDone);
    EXPECT_NE(coordinator_.printed.find("--server-key 'k$e&y' --token abc"), std::string::npos);
}

TEST_F(Verbs, WhatTheCoordinatorRefusesIsTheError) {
    coordinator_.says(model::api::Failure{ErrorCode::kConflict, "trial 'aa' runs on shadow 's1': abort it first"});
    const auto ended = shadow_destroy(session_, ShadowId("s1"));
    EXPECT_TRUE(fails(ended, ErrorCode::kConflict, "abort it first"));
    EXPECT_EQ(exit_code(ended.error().code), ExitCode::kRefused);
}

TEST_F(Verbs, AReportIsMadeOfTheRepliesAlone) {
    says_what_a_report_begins_with();
    coordinator_.says(std::vector<model::EventView>{{.sequence = 1, .message = "it began"}});
    coordinator_.says(std::vector<model::EventView>{});
    coordinator_.says(std::vector<model::KpiWindow>{{.vantage = {.group = GroupId("shop")}, .requests = 42}});
    const auto out = folder_.path() / "out" / "report";
    ASSERT_TRUE(is_ok(write_report(session_, out, "1.2.3")));
    const auto report = nlohmann::json::parse(*read_file(out / "report.json", 1'000'000));
    EXPECT_EQ(report["version"], "1.2.3");
    EXPECT_EQ(report["hosts"][0]["host"], "hv1");
    EXPECT_EQ(report["kpi"]["production"]["requests"], 42);
    EXPECT_NE(read_file(out / "report.html", 1'000'000)->find("<html"), std::string::npos);
}

TEST_F(Verbs, AReportAsksForProductionWhileItWasClonedHoweverLongAgo) {
    const WallTime yesterday = coordinator_.now - std::chrono::hours(24);
    const auto made = [&](std::uint64_t sequence, std::chrono::seconds ended) {
        return model::EventView{.sequence = sequence,
                                .at = yesterday + ended,
                                .kind = "command_SUCCEEDED",
                                .subject = "command:c-1-1",
                                .message = "create_shadow on hv1: SUCCEEDED"};
    };
    says_what_a_report_begins_with();
    coordinator_.says(
        std::vector<model::EventView>{made(1, std::chrono::seconds(0)), made(2, std::chrono::seconds(90))});
    coordinator_.says(std::vector<model::EventView>{});
    coordinator_.says(std::vector<model::KpiWindow>{});
    ASSERT_TRUE(is_ok(write_report(session_, folder_.path() / "report", "1.2.3")));
    std::vector<model::api::ListKpi> asked;
    for (const auto& request : coordinator_.asked) {
        if (const auto* kpi = std::get_if<model::api::ListKpi>(&request)) asked.push_back(*kpi);
    }
    ASSERT_EQ(asked.size(), 3U);  // each cloning's, no second twice, and the report's own
    EXPECT_EQ(asked[0].from, yesterday - limits::kReportCloningMargin);
    EXPECT_EQ(asked[0].to, yesterday + limits::kReportCloningMargin);
    EXPECT_EQ(asked[1].from, yesterday + limits::kReportCloningMargin);
    EXPECT_EQ(asked[1].to, yesterday + std::chrono::seconds(90) + limits::kReportCloningMargin);
    EXPECT_EQ(asked[2].from, coordinator_.now - limits::kReportLead);
}

TEST_F(Verbs, ResponseTimesLeaveAsAHistogramLog) {
    const model::KpiWindow window{.vantage = {.group = GroupId("shop"), .arm = ArmId("treated")},
                                  .begin = coordinator_.now,
                                  .length = std::chrono::seconds(10),
                                  .requests = 3,
                                  .response_time = {{1500, 2}, {2501, 1}}};
    coordinator_.says(std::vector{window});
    const auto log = folder_.path() / "kpi.hlog";
    EXPECT_EQ(*kpi_list(session_, {.group = GroupId("shop")}, std::chrono::seconds(60), log), ExitCode::kDone);
    const auto text = read_file(log, 4096);
    ASSERT_TRUE(is_ok(text));
    const auto read = analysis::parse_hdr_log("kpi.hlog", *text);
    ASSERT_TRUE(is_ok(read));
    ASSERT_EQ(read->size(), 1U);
    EXPECT_EQ((*read)[0].values, window.response_time);
    EXPECT_EQ((*read)[0].tag, "treated");
    EXPECT_EQ((*read)[0].begin, window.begin);
}

}  // namespace
}  // namespace penumbra::cli
