#include <cmath>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/report/cloning.hpp"
#include "cli/report/html.hpp"
#include "cli/report/kpi_charts.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {
namespace {

using namespace std::chrono_literals;

const WallTime kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 12h;

model::KpiWindow window_of(const model::Vantage& vantage, WallTime begin, std::uint64_t response_us,
                           std::uint64_t count = 10) {
    return {.vantage = vantage,
            .begin = begin,
            .length = 1s,
            .requests = count,
            .response_time = {{.value_us = response_us, .count = count}}};
}

const model::Vantage kProduction{.group = GroupId("shop")};

void add_command(ReportFacts& facts, std::string operation, WallTime asked, WallTime ended,
                 std::string state = "SUCCEEDED") {
    const std::string id = fmt::format("c-1-{}", facts.events.size() + 1);
    facts.commands.push_back({.id = CommandId(id),
                              .host = HostId("hv1"),
                              .resource = ResourceId("group:shop"),
                              .operation = operation,
                              .created = asked});
    facts.events.push_back({.sequence = facts.events.size() + 1,
                            .at = ended,
                            .kind = "command_" + state,
                            .subject = "command:" + id,
                            .message = fmt::format("{} on hv1: {}", operation, state)});
}

/// All of it asked for at noon, done at 12:02:00.
ReportFacts cloned() {
    ReportFacts facts{.made = kNoon + 1h};
    facts.groups.push_back({.group = GroupId("shop"),
                            .generations = {{.group = GroupId("shop"), .number = 1},
                                            {.number = 2, .kind = model::GenerationKind::kIncremental}}});
    add_command(facts, "replicate_group", kNoon, kNoon + 70s);
    add_command(facts, "replicate_group", kNoon, kNoon + 80s);
    add_command(facts, "create_shadow", kNoon, kNoon + 2min);
    return facts;
}

TEST(Cloning, ItsStepsRunOneAfterTheOther) {
    const std::vector<Cloning> clonings = clonings_of(cloned());
    ASSERT_EQ(clonings.size(), 1U);
    const std::vector<ChartSpan>& steps = clonings[0].steps;
    ASSERT_EQ(steps.size(), 3U);
    EXPECT_EQ(steps[0].name, "full replica");
    EXPECT_EQ(steps[1].name, "incremental replica");
    EXPECT_EQ(steps[2].name, "shadow");
    EXPECT_EQ(steps[0].from, kNoon);
    EXPECT_EQ(steps[1].from, kNoon + 70s);
    EXPECT_EQ(steps[2].from, kNoon + 80s);
    EXPECT_EQ(steps[2].to, kNoon + 2min);
    EXPECT_EQ(clonings[0].from, kNoon);
    EXPECT_EQ(clonings[0].to, kNoon + 2min);
}

TEST(Cloning, AReplicaOfYesterdayIsNoPartOfIt) {
    ReportFacts facts;
    add_command(facts, "replicate_group", kNoon - 24h, kNoon - 23h);
    add_command(facts, "destroy_shadow", kNoon, kNoon + 1s);
    add_command(facts, "replicate_group", kNoon, kNoon + 10s);
    add_command(facts, "create_shadow", kNoon, kNoon + 20s, "FAILED");
    add_command(facts, "create_shadow", kNoon + 30s, kNoon + 50s);
    const std::vector<Cloning> clonings = clonings_of(facts);
    ASSERT_EQ(clonings.size(), 1U);
    EXPECT_EQ(clonings[0].from, kNoon);
    ASSERT_EQ(clonings[0].steps.size(), 3U);
    EXPECT_EQ(clonings[0].steps[1].word, "FAILED");
}

TEST(Cloning, CommandsThatAreNotListedAnyMoreBeginWhereTheOneBeforeEnded) {
    ReportFacts facts = cloned();
    facts.commands.clear();
    const std::vector<Cloning> clonings = clonings_of(facts);
    ASSERT_EQ(clonings.size(), 1U);
    EXPECT_EQ(clonings[0].from, kNoon + 70s);
    EXPECT_EQ(clonings[0].steps[2].from, kNoon + 80s);
    facts.groups.push_back({.group = GroupId("other")});
    EXPECT_TRUE(clonings_of(facts).empty());
}

TEST(Cloning, TheSentenceSaysTheMedianBeforeDuringAndAfter) {
    std::vector<model::KpiWindow> windows;
    for (int second = -100; second < 400; ++second) {
        const std::uint64_t response_us = second < 0 ? 40'000 : second < 120 ? 1'250'000 : 42'120;
        windows.push_back(window_of(kProduction, kNoon + std::chrono::seconds(second), response_us));
        windows.push_back(window_of({GroupId("shop"), ShadowId("s1"), ArmId("control")},
                                    kNoon + std::chrono::seconds(second), 9'000'000));
    }
    windows.push_back(window_of(kProduction, kNoon - 30s, 200'000, 100));
    const Cloning cloning = clonings_of(cloned()).at(0);
    EXPECT_EQ(cloning_sentence(cloning, windows),
              "Production's median response time was 40 ms in the minute before (700 requests, 95 % of them within "
              "200 ms), 1.25 s during the cloning (1200 requests, 95 % of them within 1.25 s) and 42.1 ms in the "
              "minute after (600 requests, 95 % of them within 42.1 ms).");
}

TEST(Cloning, ItsCostStandsInTheJson) {
    ReportFacts facts = cloned();
    facts.windows_before = {window_of(kProduction, kNoon - 10s, 30'000),
                            window_of(kProduction, kNoon + 10s, 40'000, 7)};
    facts.windows = {window_of({GroupId("shop"), ShadowId("s1"), ArmId("control")}, kNoon + 10s, 9'000'000)};
    const auto cloning = nlohmann::json::parse(report_json(facts))["cloning"];
    ASSERT_EQ(cloning.size(), 1U);
    EXPECT_EQ(cloning[0]["group"], "shop");
    ASSERT_EQ(cloning[0]["steps"].size(), 3U);
    EXPECT_EQ(cloning[0]["steps"][0]["name"], "full replica");
    const auto& production = cloning[0]["production"];
    EXPECT_EQ(production["before"]["median_ms"], 30);
    EXPECT_EQ(production["during"]["requests"], 7);
    EXPECT_EQ(production["during"]["p95_ms"], 40);
    EXPECT_EQ(production["after"]["observed"], false);
    EXPECT_TRUE(production["after"]["median_ms"].is_null());
}

TEST(Cloning, TheSentenceSaysWhatWasNotObserved) {
    std::vector<model::KpiWindow> windows{window_of(kProduction, kNoon + 10s, 40'000, 7),
                                          window_of(kProduction, kNoon + 130s, 0, 0)};
    EXPECT_EQ(cloning_sentence(clonings_of(cloned()).at(0), windows),
              "Production's median response time was not known in the minute before (production was not observed "
              "then), 40 ms during the cloning (7 requests, 95 % of them within 40 ms) and not known in the minute "
              "after (no request was answered).");
}

TEST(Cloning, ItStandsInThePageAndInTheTimeline) {
    ReportFacts facts = cloned();
    facts.windows_before = {window_of(kProduction, kNoon + 10s, 40'000)};
    facts.windows = {window_of(kProduction, kNoon + 11s, 50'000)};
    EXPECT_NE(cloning_section(facts).find("(20 requests, "), std::string::npos);
    EXPECT_NE(report_html(facts).find("<h2>Cloning</h2>"), std::string::npos);
    EXPECT_NE(cloning_section(facts).find("<title>full replica: SUCCEEDED, 12:00:00 to 12:01:10</title>"),
              std::string::npos);
    EXPECT_NE(cloning_section(facts).find(">full replica 70 s, incremental replica 10 s, shadow 40 s</p>"),
              std::string::npos);
    EXPECT_NE(timeline_section(facts).find(">incremental replica of shop<"), std::string::npos);
    EXPECT_EQ(cloning_section({}), "");
}

model::TrialStatus trial_of(const char* name, WallTime begun, std::string reason, std::string kpi_reason) {
    model::TrialStatus trial{.spec = {.trial = TrialId(name), .shadow = ShadowId("s1")},
                             .group = GroupId("shop"),
                             .state = model::TrialState::kEnded,
                             .begun = begun,
                             .ended = begun + 2min};
    trial.verdict =
        model::Verdict{.kind = model::VerdictKind::kFail,
                       .reason = std::move(reason),
                       .evidence = {{.kpi = "error_rate", .p_value = 3e-101, .reason = std::move(kpi_reason)}}};
    return trial;
}

std::size_t count_of(std::string_view what, const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++count;
    return count;
}

TEST(TrialSection, StandsInTheOrderOfTheirBegin) {
    ReportFacts facts;
    facts.trials = {trial_of("aa", kNoon + 10min, "r", "r"), trial_of("never", {}, "r", "r"),
                    trial_of("slow", kNoon, "r", "r")};
    const std::string text = trial_section(facts);
    EXPECT_LT(text.find("<b>slow</b>"), text.find("<b>aa</b>"));
    EXPECT_LT(text.find("<b>aa</b>"), text.find("<b>never</b>"));
    const std::string timeline = timeline_section(facts);
    EXPECT_LT(timeline.find(">trial slow<"), timeline.find(">trial aa<"));
}

TEST(TrialSection, SaysAReasonOnceAndNoProbabilityOfNothing) {
    ReportFacts facts;
    facts.trials = {trial_of("a", kNoon, "harmed <b>", "harmed <b>")};
    EXPECT_EQ(count_of("harmed &lt;b&gt;", trial_section(facts)), 1U);
    EXPECT_NE(trial_section(facts).find("<td>&lt; 0.0001</td>"), std::string::npos);
    facts.trials = {trial_of("a", kNoon, "harmed", "<i>of its own")};
    EXPECT_NE(trial_section(facts).find("colspan='9'>&lt;i&gt;of its own</td>"), std::string::npos);
}

TEST(PText, GoesDownToATenThousandth) {
    EXPECT_EQ(p_text(1), "1.0000");
    EXPECT_EQ(p_text(0.0001), "0.0001");
    EXPECT_EQ(p_text(0.00009), "&lt; 0.0001");
    EXPECT_EQ(p_text(0), "&lt; 0.0001");
}

TEST(TrialSection, LoadStepsAreATable) {
    ReportFacts facts;
    model::TrialStatus trial = trial_of("peak", kNoon, "r", "r");
    trial.load = {{.multiple = 1.5, .span = {kNoon, kNoon + 2s}, .verdict = {.reason = "<held>"}},
                  {.multiple = 2, .span = {kNoon + 10s, kNoon + 20s}, .verdict = {.reason = "later"}}};
    facts.trials = {trial};
    const model::Vantage treated{GroupId("shop"), ShadowId("s1"), ArmId("treated")};
    facts.windows = {window_of(treated, kNoon, 1, 7), window_of(treated, kNoon + 1s, 1, 8),
                     window_of(treated, kNoon + 2s, 1, 100), window_of(kProduction, kNoon, 1, 100)};
    const std::string text = trial_section(facts);
    EXPECT_NE(text.find("<td>x1.50</td>"), std::string::npos);
    EXPECT_NE(text.find("<td>7.5</td><td class='text'>&lt;held&gt;</td>"), std::string::npos);
    EXPECT_NE(text.find("<td>-</td><td class='text'>later</td>"), std::string::npos);
}

TEST(RolloutSection, TheReasonHasARowOfItsOwn) {
    ReportFacts facts;
    facts.rollouts = {{.spec = {.rollout = RolloutId("good")}, .reason = "late", .begun = kNoon + 1h},
                      {.spec = {.rollout = RolloutId("zebra")},
                       .reason = "wave 1: it was <verified>",
                       .targets = {{.vm = VmId("shop"), .reason = "it was <verified>"},
                                   {.vm = VmId("db"), .reason = "the lease ran out"}},
                       .begun = kNoon}};
    const std::string text = rollout_section(facts);
    EXPECT_LT(text.find("zebra"), text.find("good"));
    EXPECT_EQ(count_of("it was &lt;verified&gt;</td>", text), 1U);
    EXPECT_EQ(count_of("colspan='7'>the lease ran out</td>", text), 1U);
}

TEST(KpiCharts, DrawWhatTheProductPromises) {
    model::KpiWindow window = window_of(kProduction, kNoon, 30'000, 8);
    window.errors = 2;
    window.disk_read_bytes = 4096;
    window.disk_write_bytes = 8192;
    window.length = 2s;
    model::KpiWindow silent = window_of(kProduction, kNoon + 2s, 0, 0);
    const std::vector<Chart> charts = kpi_charts({window, silent}, {});
    ASSERT_EQ(charts.size(), 6U);
    EXPECT_EQ(charts[0].scale, Scale::kLogarithmic);
    ASSERT_EQ(charts[0].lines[0].points.size(), 1U);  // what answered nothing has no response time
    EXPECT_EQ(charts[0].lines[0].points[0].value, 30);
    EXPECT_EQ(charts[1].lines[0].points[0].value, 25);
    EXPECT_EQ(charts[1].lines[0].points.size(), 1U);
    EXPECT_EQ(charts[2].lines[0].points[0].value, 4);
    EXPECT_EQ(charts[4].lines[0].points[0].value, 2048);
    EXPECT_EQ(charts[5].lines[0].points[0].value, 4096);
}

TEST(KpiCharts, TwoGroupsAreTwoLines) {
    const auto lines = lines_of({window_of(kProduction, kNoon, 1), window_of({.group = GroupId("db")}, kNoon, 2)},
                                [](const model::KpiWindow&) { return 1.0; });
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].name, "production of shop");
    EXPECT_EQ(lines[0].css_class, "production");
    EXPECT_EQ(lines[1].name, "production of db");
}

}  // namespace
}  // namespace penumbra::cli
