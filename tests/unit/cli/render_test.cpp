#include "cli/render/render.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace penumbra::cli {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

model::HostView host_hv1() {
    return {.host = HostId("hv1"),
            .state = model::HostState::kOnline,
            .reason = "it answers",
            .agent_version = "0.1.0",
            .silent_for = 1200ms,
            .facts = {.cpus = 2, .ceiling = model::Ceiling::kShadow, .may_run_shadows = true}};
}

TEST(Render, HostsAsATableSayTheReasonOfEachState) {
    EXPECT_EQ(render(std::vector{host_hv1()}, Format::kTable),
              "HOST  STATE   CEILING  SHADOWS  VMS  SILENT  REASON\n"
              "hv1   ONLINE  shadow   yes      0    1 s     it answers\n");
}

TEST(Render, AHostsTableSaysHowMuchMoreIsWrongAndJsonSaysAll) {
    model::HostView host = host_hv1();
    host.hints = {"no VM may take part"};
    EXPECT_NE(render(std::vector{host}, Format::kTable).find("it answers; `penumbra doctor` has 1 hint\n"),
              std::string::npos);
    host.state = model::HostState::kDegraded;
    host.reason = "libvirtd is down";
    host.troubles = {"libvirtd is down", "the switch is down", "the reverter is missing"};
    EXPECT_NE(render(std::vector{host}, Format::kTable).find("libvirtd is down (+2)\n"), std::string::npos);
    const json hosts = json::parse(render(std::vector{host}, Format::kJson));
    EXPECT_EQ(hosts[0]["troubles"], json(host.troubles));
    EXPECT_EQ(hosts[0]["hints"], json(host.hints));
}

TEST(Render, ListsAreJsonArraysAlsoWhenEmpty) {
    EXPECT_EQ(json::parse(render(std::vector<model::HostView>{}, Format::kJson)), json::array());
    const json hosts = json::parse(render(std::vector{host_hv1()}, Format::kJson));
    ASSERT_EQ(hosts.size(), 1U);
    EXPECT_EQ(hosts[0]["state"], "ONLINE");
    EXPECT_EQ(hosts[0]["silent_for_s"], 1.2);
}

TEST(Render, GenerationsCarryTheFieldsOfTheReport) {
    const model::GroupView group{
        .group = GroupId("shop"),
        .host = HostId("hv1"),
        .generations = {{.group = GroupId("shop"),
                         .number = 1,
                         .kind = model::GenerationKind::kIncremental,
                         .volumes = {{.disk = "vda", .bytes_read = Bytes(10), .bytes_sent = Bytes(7)},
                                     {.disk = "vdb", .bytes_read = Bytes(5), .bytes_sent = Bytes(5)}}}}};
    const json out = json::parse(render(std::vector{group}, Format::kJson));
    const json& generation = out[0]["generations"][0];
    EXPECT_EQ(generation["gen"], 1);
    EXPECT_EQ(generation["kind"], "incremental");
    EXPECT_EQ(generation["bytes_read"], 15);
    EXPECT_EQ(generation["bytes_sent"], 12);
}

TEST(Render, ATrialThatIsNotJudgedHasNoNumbers) {
    const model::TrialStatus running{.spec = {.trial = TrialId("aa")}, .state = model::TrialState::kMeasuring};
    const json out = json::parse(render_one(running, Format::kJson));
    for (const char* key : {"verdict", "n", "effective_n", "power", "more_needed_s"})
        EXPECT_TRUE(out.at(key).is_null()) << key;
    EXPECT_EQ(out.at("evidence"), json::array());
}

TEST(Render, AVerdictSaysNPowerAndInterval) {
    model::TrialStatus trial{.spec = {.trial = TrialId("aa"), .shadow = ShadowId("s1")},
                             .state = model::TrialState::kEnded};
    trial.verdict = model::Verdict{.kind = model::VerdictKind::kFail,
                                   .reason = "response_time_mean rose by 30.0 %",
                                   .n = 60,
                                   .effective_n = 42.5,
                                   .power = 0.93,
                                   .evidence = {{.kpi = "response_time_mean",
                                                 .verdict = model::VerdictKind::kFail,
                                                 .n = 60,
                                                 .effective_n = 42.5,
                                                 .effect = 0.3,
                                                 .interval = {.low = 0.22, .high = 0.38},
                                                 .p_value = 0.0001,
                                                 .power = 0.93,
                                                 .margin = 0.1}}};
    const std::string text = render_one(trial, Format::kTable);
    for (const char* part : {"FAIL", "n 60", "power 0.93", "+22.0 % .. +38.0 %", "response_time_mean rose"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
    }
    const json out = json::parse(render_one(trial, Format::kJson));
    EXPECT_EQ(out["verdict"], "FAIL");
    EXPECT_EQ(out["evidence"][0]["interval"]["high"], 0.38);
    EXPECT_EQ(out["begun"], nullptr);
}

TEST(Render, AStepOfLoadIsATimeAndNoShare) {
    const model::Verdict held{.kind = model::VerdictKind::kPass, .reason = "it was held", .n = 375};
    model::TrialStatus trial{.spec = {.trial = TrialId("peak"), .kind = model::TrialKind::kLoad}, .verdict = held};
    trial.load.push_back({.multiple = 1.2, .verdict = held});
    trial.load.front().verdict.evidence.push_back(
        {.kpi = "response_time_p95", .effect = 126'688, .interval = {.low = 126'688, .high = 144'448}});
    const std::string text = render_one(trial, Format::kTable);
    EXPECT_NE(text.find("load x1.20: PASS, n 375"), std::string::npos) << text;
    EXPECT_NE(text.find("126.7 ms, at most 144.4 ms"), std::string::npos) << text;
    EXPECT_EQ(text.find('%'), std::string::npos) << text;
}

TEST(Render, OfTomorrowTheBusiestPointOfEachHourIsShown) {
    model::ForecastView forecast{.group = GroupId("shop"), .metric = "requests_per_second", .quantiles = {0.5, 0.95}};
    const auto begin = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)) + std::chrono::hours(12);
    for (int five_minutes = 1; five_minutes <= 36; ++five_minutes) {
        const double busy = five_minutes == 20 ? 99 : five_minutes;
        const model::ForecastPoint point{begin + std::chrono::minutes(5 * five_minutes), {busy, busy + 0.5}};
        if (five_minutes <= 12) forecast.next_hour.push_back(point);
        forecast.next_day.push_back(point);
    }
    forecast.next_day.insert(forecast.next_day.begin() + 12, {begin + std::chrono::minutes(61), {}});
    const std::string text = render(forecast, Format::kTable);
    EXPECT_EQ(std::ranges::count(text, '\n'), 2 + 1 + 12 + 3) << text;
    EXPECT_NE(text.find("99.00"), std::string::npos) << "13:40 is the busiest of its hour";
    EXPECT_EQ(json::parse(render(forecast, Format::kJson))["next_day"].size(), 37U);
}

TEST(Render, BrokenTextOfAGuestDoesNotBreakTheList) {
    model::EventView event{.sequence = 1, .kind = "x", .subject = "s", .message = "bad \xff byte"};
    EXPECT_EQ(json::parse(render(std::vector{event}, Format::kJson)).size(), 1U);
}

}  // namespace
}  // namespace penumbra::cli
