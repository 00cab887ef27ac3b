#include <cmath>

#include <gtest/gtest.h>

#include "cli/report/chart_points.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {
namespace {

using namespace std::chrono_literals;

const WallTime kEvening = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 18h + 48min + 11s;

Range between(WallTime from, WallTime to) {
    return {static_cast<double>(from.time_since_epoch().count()), static_cast<double>(to.time_since_epoch().count())};
}

std::vector<std::string> words_of(const std::vector<Tick>& ticks) {
    std::vector<std::string> words;
    for (const Tick& tick : ticks)
        words.push_back(tick.text);
    return words;
}

using Words = std::vector<std::string>;

TEST(TimeTicks, AreRoundAndAsManyAsFit) {
    EXPECT_EQ(words_of(time_ticks(between(kEvening, kEvening + 25min), 832)),
              (Words{"18:50", "18:52", "18:54", "18:56", "18:58", "19:00", "19:02", "19:04", "19:06", "19:08", "19:10",
                     "19:12"}));
    EXPECT_EQ(words_of(time_ticks(between(kEvening, kEvening + 25min), 300)),
              (Words{"18:50", "18:55", "19:00", "19:05", "19:10"}));
    EXPECT_EQ(words_of(time_ticks(between(kEvening, kEvening + 40s), 300)),
              (Words{"18:48:20", "18:48:30", "18:48:40", "18:48:50"}));
}

TEST(TimeTicks, NameTheDayAtMidnight) {
    EXPECT_EQ(words_of(time_ticks(between(kEvening, kEvening + 24h), 300)),
              (Words{"11-25", "06:00", "12:00", "18:00"}));
    EXPECT_EQ(words_of(time_ticks(between(kEvening, kEvening + 24h * 21), 200)), (Words{"11-26", "12-03", "12-10"}));
}

TEST(TimeTicks, StandApartAtEveryLength) {
    for (double seconds = 0.01; seconds < 4e8; seconds *= 1.7) {
        const Range range{1.795e12 + 345, 1.795e12 + 345 + seconds * 1000};
        const std::vector<Tick> ticks = time_ticks(range, 832);
        ASSERT_FALSE(ticks.empty()) << seconds;
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            EXPECT_GE(ticks[i].at, range.low);
            EXPECT_LE(ticks[i].at, range.high);
            if (i > 0) {
                EXPECT_GE((ticks[i].at - ticks[i - 1].at) / (seconds * 1000) * 832, 52) << seconds;
            }
        }
    }
}

TEST(ValueTicks, ALogarithmicAxisCountsOneTwoFive) {
    const Range range = rounded({18, 9300}, Scale::kLogarithmic);
    EXPECT_EQ(range.low, 10);
    EXPECT_EQ(range.high, 10'000);
    EXPECT_EQ(words_of(value_ticks(range, Scale::kLogarithmic, "ms", 13)),
              (Words{"10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s", "2 s", "5 s", "10 s"}));
    EXPECT_EQ(words_of(value_ticks(range, Scale::kLogarithmic, "ms", 6)), (Words{"10 ms", "100 ms", "1 s", "10 s"}));
    const Range one = rounded({40, 40}, Scale::kLogarithmic);
    EXPECT_LT(one.low, one.high);
    EXPECT_LE(value_ticks({1e-9, 1e9}, Scale::kLogarithmic, "ms", 5).size(), 5U);
}

TEST(ValueTicks, ALinearAxisIsRoundAndHasNoExponents) {
    const Range range = rounded({0, 8600}, Scale::kLinear);
    EXPECT_EQ(range.high, 10'000);
    EXPECT_EQ(words_of(value_ticks(range, Scale::kLinear, "", 6)),
              (Words{"0", "2000", "4000", "6000", "8000", "10 k"}));
    EXPECT_EQ(words_of(value_ticks(rounded({0, 3'700'000}, Scale::kLinear), Scale::kLinear, "B/s", 6)),
              (Words{"0 B", "1 MB", "2 MB", "3 MB", "4 MB"}));
    EXPECT_EQ(words_of(value_ticks(rounded({0, 0}, Scale::kLinear), Scale::kLinear, "%", 6)),
              (Words{"0 %", "0.2 %", "0.4 %", "0.6 %", "0.8 %", "1 %"}));
}

Chart response_times(std::vector<ChartPoint> points) {
    return {.title = "t",
            .unit = "ms",
            .scale = Scale::kLogarithmic,
            .lines = {{.name = "a", .css_class = "control", .points = std::move(points)}}};
}

std::size_t count_of(std::string_view what, const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++count;
    return count;
}

/// The `d` of the only line.
std::string path_in(const std::string& picture) {
    const std::size_t begin = picture.find("<path class='line control' d='") + 30;
    return picture.substr(begin, picture.find('\'', begin) - begin);
}

TEST(SvgChart, ALogarithmicAxisDoesNotDrawZero) {
    const std::string picture = svg_of(response_times({{kEvening, 40}, {kEvening + 1s, 0}, {kEvening + 2s, 4000}}));
    const std::string path = path_in(picture);
    EXPECT_EQ(count_of("M", path), 1U);
    EXPECT_EQ(count_of("L", path), 1U);
    EXPECT_EQ(picture.find("inf"), std::string::npos);
    EXPECT_EQ(picture.find("nan"), std::string::npos);
    EXPECT_NE(picture.find(">5 s<"), std::string::npos);
    EXPECT_EQ(svg_of(response_times({{kEvening, 0}})), "");
}

TEST(SvgChart, AMissingWindowBreaksTheLineOnceNotMore) {
    std::vector<ChartPoint> points;
    for (int i = 0; i < 40; ++i)
        points.push_back({kEvening + std::chrono::seconds(i < 20 ? i : i + 60), 40.0 + i});
    const std::string path = path_in(svg_of(response_times(points)));
    EXPECT_EQ(count_of("M", path), 2U);
    EXPECT_EQ(count_of("L", path), 38U);
}

TEST(ChartPoints, AColumnKeepsItsEndsAndItsExtremes) {
    std::vector<ChartPoint> run;
    for (int i = 0; i < 1000; ++i)
        run.push_back({kEvening + std::chrono::milliseconds(i), i == 300 ? -7.0 : i == 700 ? 99.0 : 5.0});
    const std::vector<ChartPoint> kept = thinned(run, 500);
    ASSERT_EQ(kept.size(), 6U);
    EXPECT_EQ(kept[0].at, kEvening);
    EXPECT_EQ(kept[1].value, -7);
    EXPECT_EQ(kept[2].at, kEvening + 499ms);
    EXPECT_EQ(kept[3].at, kEvening + 500ms);
    EXPECT_EQ(kept[4].value, 99);
    EXPECT_EQ(kept[5].at, kEvening + 999ms);
    EXPECT_EQ(thinned(run, 0.5).size(), 1000U);
}

TEST(ChartPoints, APointAloneIsSeen) {
    const std::string path = path_in(
        svg_of(response_times({{kEvening, 40}, {kEvening + 1s, 40}, {kEvening + 2s, 40}, {kEvening + 1h, 50}})));
    EXPECT_TRUE(path.ends_with("h1"));
    EXPECT_EQ(count_of("h1", path), 1U);
}

TEST(SvgChart, ASpanSaysItsNameAndItsWordWhereThereIsRoom) {
    Chart chart = response_times({{kEvening, 40}, {kEvening + 100s, 41}});
    chart.spans = {{.name = "a<b", .word = "FAIL", .css_class = "FAIL", .from = kEvening, .to = kEvening + 50s},
                   {.name = "brief", .word = "PASS", .css_class = "PASS", .from = kEvening + 60s, .to = kEvening + 61s},
                   {.name = "other day", .css_class = "", .from = kEvening - 24h, .to = kEvening - 23h}};
    const std::string picture = svg_of(chart);
    EXPECT_NE(picture.find("<title>a&lt;b: FAIL, 18:48:11 to 18:49:01</title>"), std::string::npos);
    EXPECT_NE(picture.find("<title>brief: PASS, "), std::string::npos);
    EXPECT_EQ(picture.find("other day"), std::string::npos);
    EXPECT_EQ(count_of("class='label'", picture), 1U);
    EXPECT_NE(picture.find("y='32.0' text-anchor='middle'>a&lt;b<"), std::string::npos);  // between title and plot
}

TEST(SvgChart, TheTimeAxisHoldsWhatItIsTold) {
    Chart chart = response_times({{kEvening, 40}, {kEvening + 10s, 41}});
    chart.from = kEvening - 2min;
    chart.to = kEvening + 2min;
    const std::string picture = svg_of(chart);
    EXPECT_NE(picture.find(">18:47:00<"), std::string::npos);
    EXPECT_NE(picture.find(">18:50:00<"), std::string::npos);
}

}  // namespace
}  // namespace penumbra::cli
