#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/report/forecast_chart.hpp"
#include "cli/report/report_facts.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const WallTime kBegin{std::chrono::milliseconds(1'795'492'345'000)};

std::vector<model::KpiWindow> windows_of(const char* arm, double mean_ms) {
    std::vector<model::KpiWindow> windows;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const auto value = static_cast<std::uint64_t>(1000 * (mean_ms + 4 * std::sin(static_cast<double>(i) / 15)));
        const bool is_arm = *arm != 0;
        windows.push_back({.vantage = {GroupId("shop"), ShadowId(is_arm ? "s1" : ""), ArmId(arm)},
                           .sequence = i,
                           .begin = kBegin + std::chrono::seconds(i),
                           .length = 1s,
                           .requests = 20,
                           .response_time = {{.value_us = value, .count = 20}},
                           .guest_cpu_share = 0.4,
                           .ledger = is_arm ? model::ReplayLedger{.captured = 10, .replayed = 9, .lost_timeout = 1}
                                            : model::ReplayLedger{}});
    }
    return windows;
}

ReportFacts example() {
    ReportFacts facts{.made = kBegin + 400s, .version = "0.1.0"};
    for (const auto& [arm, mean] : {std::pair{"", 30.0}, std::pair{"control", 44.0}, std::pair{"treated", 58.0}}) {
        for (const model::KpiWindow& window : windows_of(arm, mean))
            facts.windows.push_back(window);
    }
    model::TrialStatus trial{.spec = {.trial = TrialId("bad<script>"), .shadow = ShadowId("s1")},
                             .state = model::TrialState::kEnded,
                             .begun = kBegin + 60s,
                             .ended = kBegin + 240s};
    trial.verdict = model::Verdict{.kind = model::VerdictKind::kFail,
                                   .reason = "response_time_mean rose by 31.8 %",
                                   .n = 120,
                                   .effective_n = 88,
                                   .power = 0.97,
                                   .evidence = {{.kpi = "response_time_mean",
                                                 .verdict = model::VerdictKind::kFail,
                                                 .n = 120,
                                                 .effective_n = 88,
                                                 .effect = 0.318,
                                                 .interval = {.low = 0.25, .high = 0.39},
                                                 .p_value = 0.0001,
                                                 .power = 0.97,
                                                 .margin = 0.15,
                                                 .reason = "the interval lies above the margin"}}};
    facts.trials.push_back(trial);
    facts.rollouts.push_back({.spec = {.rollout = RolloutId("bad"), .group = GroupId("shop")},
                              .outcome = model::RolloutOutcome::kRejected,
                              .reason = "the shadow trial said FAIL",
                              .targets = {{.vm = VmId("shop"), .before_hash = "ab12", .final_hash = "ab12"}},
                              .begun = kBegin + 50s,
                              .ended = kBegin + 250s});
    model::ForecastView forecast{.group = GroupId("shop"),
                                 .metric = "requests_per_second",
                                 .quantiles = {0.05, 0.25, 0.5, 0.75, 0.95},
                                 .past_coverage = {0.05, 0.25, 0.5, 0.75, 0.95},
                                 .method = "daily"};
    for (int i = 0; i < 96; ++i) {
        const double centre = 20 + 10 * std::sin(i / 15.0);
        forecast.next_day.push_back(
            {.at = kBegin + i * 15min, .values = {centre - 6, centre - 2, centre, centre + 2, centre + 6}});
    }
    facts.forecasts.push_back(forecast);
    facts.isolation.push_back({.shadow = ShadowId("s1"),
                               .arm = ArmId("treated"),
                               .corpus_frames = 612,
                               .positive_control_seen = 612,
                               .reason = "no frame left the sandbox"});
    return facts;
}

TEST(Report, JsonSumsTheLedgersAndKeepsTheirSum) {
    const json report = json::parse(report_json(example()));
    ASSERT_EQ(report["replay"].size(), 2U);
    for (const json& arm : report["replay"]) {
        EXPECT_EQ(arm["captured"], 3000);
        EXPECT_EQ(arm["captured"].get<int>(), arm["replayed"].get<int>() + arm["lost"].get<int>());
    }
    EXPECT_EQ(report["trials"][0]["verdict"], "FAIL");
    EXPECT_EQ(report["isolation"]["seen_on_production"], 0);
    EXPECT_EQ(report["rollouts"][0]["outcome"], "REJECTED");
    EXPECT_EQ(report["kpi"]["production"]["requests"], 6000);
}

TEST(Report, PageStandsAloneAndEscapesForeignText) {
    const std::string page = report_html(example());
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_EQ(page.find("http://"), std::string::npos);
    EXPECT_EQ(page.find("https://"), std::string::npos);
    EXPECT_NE(page.find("bad&lt;script&gt;"), std::string::npos);
    if (const char* path = std::getenv("PENUMBRA_REPORT_EXAMPLE")) std::ofstream(path) << page;  // to look at
}

TEST(Report, AnEmptyStoreGivesAPageToo) {
    EXPECT_NE(report_html({}).find("</html>"), std::string::npos);
    EXPECT_EQ(json::parse(report_json({}))["trials"], json::array());
}

TEST(SvgChart, NothingToDrawIsNoPicture) {
    EXPECT_EQ(svg_of(Chart{.title = "empty", .unit = "ms"}), "");
    EXPECT_EQ(svg_of(std::vector<TimelineRow>{}), "");
}

TEST(SvgChart, AFanIsDrawnAroundItsMedian) {
    const std::vector<model::ForecastPoint> points{{kBegin, {5, 9, 10, 20}}, {kBegin + 1h, {6, 10, 11, 21}}};
    const Chart chart = fan_of("t", "u", {0.5, 0.9, 0.95, 0.99}, points);
    ASSERT_EQ(chart.lines.size(), 1U);
    EXPECT_EQ(chart.lines[0].name, "median");
    EXPECT_EQ(chart.lines[0].points[0].value, 5);
    ASSERT_EQ(chart.bands.size(), 3U);
    EXPECT_EQ(chart.bands[0].name, "50 % to 99 %");
    EXPECT_EQ(chart.bands[0].high[1].value, 21);
    EXPECT_EQ(chart.bands[2].name, "50 % to 90 %");
    const Chart both = fan_of("t", "u", {0.1, 0.5, 0.9}, {{kBegin, {1, 2, 3}}});
    ASSERT_EQ(both.bands.size(), 1U);
    EXPECT_EQ(both.bands[0].low[0].value, 1);
    EXPECT_TRUE(fan_of("t", "u", {}, points).lines.empty());
}

TEST(SvgChart, AFileStandsAlone) {
    const std::string time = svg_file_of(
        Chart{.title = "a < b",
              .unit = "ms",
              .lines = {{.name = "<x>", .css_class = "control", .points = {{kBegin, 1}, {kBegin + 72h, 3}}}}});
    EXPECT_TRUE(time.starts_with("<svg xmlns='http://www.w3.org/2000/svg'"));
    EXPECT_NE(time.find("<style>"), std::string::npos);
    EXPECT_NE(time.find("a &lt; b"), std::string::npos);
    EXPECT_EQ(time.find("<x>"), std::string::npos);
    const std::string curve = svg_file_of(CurveChart{
        .title = "t", .x_unit = "/s", .y_unit = "ms", .curves = {{.name = "c", .points = {{1, 2}, {3, 4}}}}});
    EXPECT_NE(curve.find("<path class='line "), std::string::npos);
    EXPECT_EQ(svg_file_of(Chart{}), "");
    EXPECT_EQ(svg_file_of(CurveChart{}), "");
}

TEST(SvgChart, NotANumberDoesNotSpoilTheScale) {
    const std::string picture = svg_of(Chart{
        .title = "t",
        .unit = "ms",
        .lines = {
            {.name = "a", .css_class = "control", .points = {{kBegin, 1}, {kBegin + 1s, NAN}, {kBegin + 2s, 3}}}}});
    EXPECT_EQ(picture.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace penumbra::cli
