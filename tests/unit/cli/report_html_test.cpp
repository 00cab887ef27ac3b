#include <cmath>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

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
