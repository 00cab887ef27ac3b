// What people write: each key, each default, and each way to be wrong, with the place where it is.

#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/durable_file.hpp"
#include "proto/spec/document.hpp"
#include "proto/spec/policy_file.hpp"
#include "proto/spec/rollout_file.hpp"
#include "proto/spec/settings_file.hpp"
#include "proto/spec/trial_file.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::spec {
namespace {

using namespace std::chrono_literals;
using model::TrialSpec;
using testing::fails;
using testing::is_ok;

constexpr std::string_view kAa = R"(name = "aa"
shadow = "s1"
kind = "aa"
)";

::testing::AssertionResult refused(const auto& result, std::string_view sentence) {
    return fails(result, ErrorCode::kInvalidArgument, sentence);
}

TEST(TrialFile, TheShortestOneHasEveryDefault) {
    const Result<TrialSpec> spec = read_trial("aa.toml", kAa);
    ASSERT_TRUE(is_ok(spec));
    TrialSpec expected{.trial = TrialId("aa"), .shadow = ShadowId("s1")};
    expected.kpis = {{.kpi = "response_time_mean"}};
    EXPECT_EQ(*spec, expected);
}

TEST(TrialFile, EveryKeyIsRead) {
    const Result<TrialSpec> spec = read_trial("partition.toml", R"(
name = "partition"
shadow = "s1"
kind = "fault"
control = "left"
treated = "right"
warm_up = "10s"
baseline = "1m30s"
settle = "0s"
measure = "5m"
window = "500ms"
share = 0.25
confidence = 0.99
power = 0.9
seed = 7

[[kpi]]
name = "response_time_p95"
margin = 0.2
objective = 250

[[kpi]]
name = "error_rate"

[effect]
kind = "ovs.partition"
lease = "2m"
interfaces = ["tap0"]
)");
    ASSERT_TRUE(is_ok(spec));
    model::EffectSpec effect{.lease = 120s, .action = model::Partition{{"tap0"}}};
    EXPECT_EQ(*spec, (TrialSpec{.trial = TrialId("partition"),
                                .shadow = ShadowId("s1"),
                                .kind = model::TrialKind::kFault,
                                .control = ArmId("left"),
                                .treated = ArmId("right"),
                                .warm_up = 10s,
                                .baseline = 90s,
                                .settle = 0s,
                                .measure = 300s,
                                .window = 500ms,
                                .share = 0.25,
                                .kpis = {{"response_time_p95", 0.2, 250.0}, {"error_rate", 0.1, {}}},
                                .effect = effect,
                                .confidence = 0.99,
                                .power = 0.9,
                                .seed = 7}));
}

TEST(TrialFile, AnEffectStandsUntilTheTrialTakesItBackUnlessTheFileSaysOtherwise) {
    const Result<TrialSpec> spec = read_trial("x.toml", R"(name = "x"
shadow = "s1"
kind = "change"
settle = "10s"
measure = "2m"
effect = { kind = "domain.iotune", disk = "vda", limits = { total_iops_sec = 40 } }
)");
    ASSERT_TRUE(is_ok(spec));
    EXPECT_EQ(spec->effect->action,
              (model::EffectSpec{.action = model::IoTune{"vda", {{"total_iops_sec", 40}}}}.action));
    EXPECT_GT(spec->effect->lease, 130s);
}

TEST(TrialFile, ALoadTrialTakesMultiplesOrAForecast) {
    const std::string head = R"(name = "peak"
shadow = "s1"
kind = "load"
kpi = [{ name = "response_time_p95", objective = 400 }]
)";
    const Result<TrialSpec> multiples = read_trial("peak.toml", head + "load = { multiples = [1, 1.5, 2] }\n");
    ASSERT_TRUE(is_ok(multiples));
    EXPECT_EQ(multiples->load_multiples, (std::vector<double>{1, 1.5, 2}));
    EXPECT_FALSE(multiples->aim.has_value());
    const Result<TrialSpec> aim =
        read_trial("peak.toml", head + "[load]\nquantile = 0.95\nhorizon = \"24h\"\nsteps = 4\n");
    ASSERT_TRUE(is_ok(aim));
    EXPECT_EQ(aim->aim, (model::ForecastAim{.quantile = 0.95, .horizon = 24h, .steps = 4}));
    EXPECT_TRUE(refused(read_trial("peak.toml", head + "load = { multiples = [1], quantile = 0.9 }\n"),
                        "either `multiples`, or `quantile`"));
    EXPECT_TRUE(refused(read_trial("peak.toml", head + "[load]\nmultiples = [2, 1.5]\n"),
                        "peak.toml:6:1: \"multiples\" of [load]: each must be greater"));
    EXPECT_TRUE(refused(read_trial("peak.toml", head), "write [load]"));
    EXPECT_TRUE(refused(read_trial("peak.toml", "name=\"p\"\nshadow=\"s\"\nkind=\"load\"\n[load]\nmultiples=[2]\n"),
                        "`objective`"));
}

TEST(TrialFile, AnUnknownKeyNamesItsPlaceAndWhatWasLikelyMeant) {
    const auto result = read_trial("aa.toml", std::string(kAa) + "\n  mesure = \"2m\"\n");
    EXPECT_TRUE(refused(result, "aa.toml:5:3: \"mesure\" is no key here; did you mean \"measure\"?"));
    EXPECT_TRUE(refused(result, "warm_up"));
    EXPECT_TRUE(refused(read_trial("aa.toml", std::string(kAa) + "[[kpi]]\nname = \"error_rate\"\nmargn = 0.1\n"),
                        "aa.toml:6:1: \"margn\" of [kpi] is no key here; did you mean \"margin\"?"));
    EXPECT_TRUE(refused(read_trial("aa.toml", std::string(kAa) + "zzzzzzzz = 1\n"), "is no key here; expected are"));
}

TEST(TrialFile, AMissingKeyIsNamed) {
    EXPECT_TRUE(
        refused(read_trial("aa.toml", "name = \"aa\"\nkind = \"aa\"\n"), "aa.toml:1:1: the key \"shadow\" is missing"));
    EXPECT_TRUE(refused(read_trial("aa.toml", std::string(kAa) + "[[kpi]]\nmargin = 0.1\n"),
                        "aa.toml:4:1: the key \"name\" of [kpi] is missing"));
}

TEST(TrialFile, AWrongTypeOrRangeIsNamedWithWhatWasExpected) {
    const auto with = [](std::string_view line) { return read_trial("aa.toml", std::string(kAa) + std::string(line)); };
    EXPECT_TRUE(refused(with("measure = 120"), "aa.toml:4:11: \"measure\": a length of time is expected, as \"30s\""));
    EXPECT_TRUE(refused(with("measure = \"2 minutes\""), "a length of time is expected"));
    EXPECT_TRUE(refused(with("measure = \"1500ms\""), "whole seconds"));
    EXPECT_TRUE(refused(with("measure = \"99999999999d\""), "a length of time"));
    EXPECT_TRUE(refused(with("measure = \"0s\""), "it must be from 1s to"));
    EXPECT_TRUE(refused(with("share = 1.5"), "aa.toml:4:9: \"share\": a number from 0 to 1 is expected"));
    EXPECT_TRUE(refused(with("share = nan"), "a number from 0 to 1"));
    EXPECT_TRUE(refused(with("share = \"half\""), "a number from 0 to 1"));
    EXPECT_TRUE(refused(with("seed = -1"), "a whole number from 0"));
    EXPECT_TRUE(refused(with("control = 3"), "text in quotes"));
    EXPECT_TRUE(refused(with("control = \"treated\""), "another arm"));
    EXPECT_TRUE(refused(with("control = \"a b\""), "aa.toml:4:11"));
    EXPECT_TRUE(refused(with("window = \"60s\"\nmeasure = \"30s\""), "it must not be longer"));
    EXPECT_TRUE(refused(with("window = \"60s\"\nbaseline = \"30s\""), "it must not be longer"));
    EXPECT_TRUE(is_ok(with("baseline = \"0s\"")));
    EXPECT_TRUE(refused(with("kpi = 3"), "each as [[kpi]]"));
    EXPECT_TRUE(refused(with("[[kpi]]\nname = \"latency\""), "is not one of \"response_time_mean\""));
    EXPECT_TRUE(refused(with("[[kpi]]\nname = \"error_rat\""), "did you mean \"error_rate\"?"));
    EXPECT_TRUE(refused(with("[[kpi]]\nname = \"error_rate\"\n[[kpi]]\nname = \"error_rate\""), "there already"));
    EXPECT_TRUE(refused(with("measure = 2026-11-24"), "aa.toml:4:11: dates and times"));
    EXPECT_TRUE(
        refused(read_trial("aa.toml", "name = \"" + std::string(41, 'n') + "\"\nshadow=\"s\"\nkind=\"aa\""), "40"));
}

TEST(TrialFile, KindAndEffectMustAgree) {
    const std::string head = "name = \"x\"\nshadow = \"s1\"\n";
    EXPECT_TRUE(refused(read_trial("x", head + "kind = \"fault\"\n"), "write [effect]"));
    EXPECT_TRUE(
        refused(read_trial("x", head + "kind = \"aa\"\n[effect]\nkind = \"ovs.partition\"\n"), "only a trial of"));
    EXPECT_TRUE(refused(read_trial("x", head + "kind = \"change\"\n[effect]\nkind = \"ovs.partition\"\n"),
                        "x:3:1: \"kind\": the effect is a fault"));
    EXPECT_TRUE(
        refused(read_trial("x", head + "kind = \"aa\"\n[load]\nmultiples = [2]\n"), "only a trial of kind load"));
    EXPECT_TRUE(
        refused(read_trial("x", head + "kind = \"fault\"\n[effect]\nkind = \"backup.job\"\n"), "is not one of"));
}

TEST(TrialFile, BrokenTomlNamesItsPlace) {
    EXPECT_TRUE(refused(read_trial("aa.toml", "name = \"aa\"\nshadow = \n"), "aa.toml:2:"));
    EXPECT_TRUE(refused(read_trial("aa.toml", "name = \"a\"\nname = \"b\"\n"), "aa.toml:2:"));
    EXPECT_TRUE(refused(read_trial("aa.toml", "name = \"\xff\"\n"), "aa.toml:1:"));
    for (const std::string_view slip : {"[=", "[[\n", "[[ ]]", "[a", "=1", "a = {=1}", "a = {b", "'"})
        EXPECT_TRUE(refused(read_trial("aa.toml", slip), "aa.toml:1:")) << slip;
}

TEST(Toml, HostileDepthAndSizeAreRefused) {
    EXPECT_TRUE(refused(parse("x", std::string(300'000, '#')), "longer than 262144 bytes"));
    EXPECT_TRUE(refused(parse("x", "\n" + std::string(5'000, '#')), "x:2:1: this line is longer"));
    std::string dotted = "a";
    for (int i = 0; i < 2000; ++i)
        dotted += ".a";
    EXPECT_TRUE(refused(parse("x", dotted + " = 1"), "nested deeper"));
    EXPECT_TRUE(refused(parse("x", "a = " + std::string(1000, '[') + std::string(1000, ']')), "x:1:"));
}

constexpr std::string_view kGood = R"(name = "good"
group = "shop"
lease = "5m"
verify = "20s"
confirm_by = "operator"
rollback_drill = false
waves = [["vm-a"], ["vm-b", "vm-c"]]

[change]
kind = "domain.cputune"
parameters = { cpu_shares = 512, vcpu_quota = -1 }

[trial]
shadow = "s1"
measure = "1m"
[[trial.kpi]]
name = "response_time_mean"
margin = 0.15

[[guard]]
name = "error_rate"
objective = 0.05
)";

TEST(RolloutFile, EveryKeyIsRead) {
    const auto spec = read_rollout("good.toml", kGood);
    ASSERT_TRUE(is_ok(spec));
    EXPECT_EQ(spec->rollout, RolloutId("good"));
    EXPECT_EQ(spec->group, GroupId("shop"));
    EXPECT_EQ(spec->lease, 300s);
    EXPECT_EQ(spec->verify, 20s);
    EXPECT_EQ(spec->confirm_by, model::ConfirmBy::kOperator);
    EXPECT_FALSE(spec->rollback_drill);
    EXPECT_EQ(spec->waves, (std::vector<std::vector<VmId>>{{VmId("vm-a")}, {VmId("vm-b"), VmId("vm-c")}}));
    const model::EffectSpec change{.lease = 300s, .action = model::CpuTune{{{"cpu_shares", 512}, {"vcpu_quota", -1}}}};
    EXPECT_EQ(spec->change, change);
    EXPECT_EQ(spec->trial.kind, model::TrialKind::kChange);
    EXPECT_EQ(spec->trial.effect, change);
    EXPECT_EQ(spec->trial.measure, 60s);
    EXPECT_EQ(spec->trial.kpis, (std::vector<model::KpiSpec>{{"response_time_mean", 0.15, {}}}));
    EXPECT_EQ(spec->guards, (std::vector<model::KpiSpec>{{"error_rate", 0.1, 0.05}}));
}

TEST(RolloutFile, WhatCannotBeIsRefused) {
    const auto with = [](std::string_view what, std::string_view by) {
        std::string text(kGood);
        text.replace(text.find(what), what.size(), by);
        return read_rollout("good.toml", text);
    };
    EXPECT_TRUE(refused(with("verify = \"20s\"", "verify = \"5m\""), "good.toml:4:1: \"verify\": it must be shorter"));
    EXPECT_TRUE(refused(with("domain.cputune", "ovs.partition"), "no key here"));
    EXPECT_TRUE(refused(with("kind = \"domain.cputune\"\nparameters = { cpu_shares = 512, vcpu_quota = -1 }",
                             "kind = \"ovs.partition\""),
                        "only a change may reach production"));
    EXPECT_TRUE(refused(with("cpu_shares = 512", "cpu_shares = 5.5"), "must be a whole number"));
    EXPECT_TRUE(refused(with("[[\"vm-a\"]", "[[]"), "at least one VM"));
    EXPECT_TRUE(refused(with("lease = \"5m\"", "lease = \"1s\""), "it must be from 5s to 1d"));
    EXPECT_TRUE(refused(with("shadow = \"s1\"\n", ""), "\"shadow\" of [trial] is missing"));
    EXPECT_TRUE(refused(with("measure = \"1m\"", "kind = \"aa\""), "\"kind\" of [trial] is no key here"));
}

TEST(PolicyFile, WhatIsNotWrittenIsNotAllowed) {
    EXPECT_EQ(*read_policy("policy.toml", ""), model::Policy{});
    const auto policy = read_policy("policy.toml",
                                    "ceiling = \"shadow\"\nvms = [\"shop\"]\neffects = [\"domain.iotune\"]\n"
                                    "run_shadows = true\nplaintext_replicas = true\n");
    ASSERT_TRUE(is_ok(policy));
    EXPECT_EQ(*policy, (model::Policy{model::Ceiling::kShadow, {"shop"}, {"domain.iotune"}, true, true}));
    EXPECT_TRUE(refused(read_policy("policy.toml", "ceiling = \"all\""), "is not one of \"observe\""));
    EXPECT_TRUE(refused(read_policy("policy.toml", "effects = [\"iotune\"]"), "policy.toml:1:1: \"effects\""));
    EXPECT_TRUE(refused(read_policy("policy.toml", "run_shadow = true"), "did you mean \"run_shadows\"?"));
}

TEST(PolicyFile, OnlyItsOwnerMayHaveWrittenIt) {
    const testing::TemporaryDirectory folder;
    const auto path = folder.path() / "policy.toml";
    EXPECT_TRUE(fails(load_policy(path), ErrorCode::kNotFound));
    ASSERT_TRUE(is_ok(write_file_durably(path, "ceiling = \"change\"\n", 0644)));
    EXPECT_TRUE(is_ok(load_policy(path)));
    ASSERT_EQ(::chmod(path.c_str(), 0664), 0);
    EXPECT_TRUE(fails(load_policy(path), ErrorCode::kPermissionDenied, "others"));
}

TEST(SettingsFile, ACoordinatorNeedsNone) {
    const testing::TemporaryDirectory folder;
    const auto none = load_coordinator_settings(folder.path() / "coordinator.toml");
    ASSERT_TRUE(is_ok(none));
    EXPECT_EQ(none->listen, "*:7701");
    const auto some = read_coordinator_settings("c.toml", "listen = \"10.0.0.1:99\"\nstate = \"/srv/penumbra\"\n");
    ASSERT_TRUE(is_ok(some));
    EXPECT_EQ(some->listen, "10.0.0.1:99");
    EXPECT_EQ(some->state, "/srv/penumbra");
    EXPECT_TRUE(refused(read_coordinator_settings("c.toml", "listen = \"10.0.0.1\""), "ADDRESS:PORT"));
    EXPECT_TRUE(refused(read_coordinator_settings("c.toml", "state = \"here\""), "a path from the root"));
    EXPECT_TRUE(none->time_zone.empty() && none->holidays.empty());
    const auto days = read_coordinator_settings("c.toml", "time_zone = \"Europe/Berlin\"\nholidays = \"/etc/h.csv\"\n");
    ASSERT_TRUE(is_ok(days));
    EXPECT_EQ(days->time_zone, "Europe/Berlin");
    EXPECT_EQ(days->holidays, "/etc/h.csv");
    EXPECT_TRUE(refused(read_coordinator_settings("c.toml", "holidays = \"h.csv\""), "a path from the root"));
}

TEST(SettingsFile, AnAgentReadsWhatEnrolmentWrote) {
    const AgentSettings settings{.host = HostId("hv1"),
                                 .server = "ctl.example:7701",
                                 .server_key = keys::KeyPair::generate().public_key(),
                                 .keys = "/etc/penumbra/keys",
                                 .state = "/srv/agent"};
    const auto read = read_agent_settings("agent.toml", write_agent_settings(settings));
    ASSERT_TRUE(is_ok(read));
    EXPECT_EQ(read->host, settings.host);
    EXPECT_EQ(read->server, settings.server);
    EXPECT_EQ(read->server_key, settings.server_key);
    EXPECT_EQ(read->state, settings.state);
    EXPECT_TRUE(refused(read_agent_settings("agent.toml", "host = \"hv1\"\n"), "the key \"server\" is missing"));
    EXPECT_TRUE(refused(read_agent_settings("agent.toml", "host='h'\nserver='c:1'\nserver_key='short'\n"),
                        "agent.toml:3:1: \"server_key\": this is not a public key"));
    const testing::TemporaryDirectory folder;
    EXPECT_TRUE(fails(load_agent_settings(folder.path() / "agent.toml"), ErrorCode::kNotFound, "enrol this host"));
}

TEST(SettingsFile, AddressesAreChecked) {
    for (const std::string_view good : {"ctl:7701", "*:1", "10.0.0.1:65535", "[::1]:7701"})
        EXPECT_TRUE(is_ok(check_address(good))) << good;
    for (const std::string_view bad :
         {"", "ctl", "ctl:", ":7701", "ctl:0", "ctl:65536", "::1:7701", "ctl:7701x", "a b:1"})
        EXPECT_TRUE(refused(check_address(bad), "ADDRESS:PORT")) << bad;
}

}  // namespace
}  // namespace penumbra::spec
