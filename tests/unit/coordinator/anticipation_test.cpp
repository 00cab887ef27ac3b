#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "coordinator/anticipation/foretell.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::coordinator {
namespace {

using testing::fails;
using testing::is_ok;
using namespace std::chrono_literals;

const WallTime kBegin{std::chrono::sys_days(std::chrono::year(2026) / 11 / 2)};
const Series kShop{GroupId("shop"), std::string(kRequestRate)};
constexpr auto kStep = 10min;

// Two weeks of a day's wave between 5 and 15 requests a second, highest at noon.
std::vector<MetricPoint> two_weeks() {
    std::vector<MetricPoint> points;
    for (std::size_t index = 0; index < std::size_t(14 * 24 * 6); ++index) {
        const double day = static_cast<double>(index) / 144;
        const double ripple = 0.3 * std::sin(static_cast<double>(index) * 1.7);
        points.push_back({kBegin + kStep * index, 10 - 5 * std::cos(2 * std::numbers::pi * day) + ripple});
    }
    return points;
}

model::KpiWindow window_at(std::chrono::seconds after, std::uint64_t requests) {
    return {.vantage = {.group = GroupId("shop")}, .begin = kBegin + after, .length = 1s, .requests = requests};
}

TEST(PresentRate, IsTheLatestMinutes) {
    EXPECT_EQ(present_rate({}), 0);
    const std::vector<model::KpiWindow> windows{window_at(0s, 1000), window_at(100s, 4), window_at(101s, 8)};
    EXPECT_DOUBLE_EQ(present_rate(windows), 6);
}

TEST(Foretell, ShowsTheNextHourAndDayWithTheirPastCoverage) {
    const auto points = two_weeks();
    const WallTime now = points.back().at + 1min;
    const auto view = foretell(kShop, points, now, 5, {});
    ASSERT_TRUE(is_ok(view));
    EXPECT_EQ(view->next_hour.size(), 6U);
    EXPECT_EQ(view->next_day.size(), 144U);
    EXPECT_EQ(view->next_hour.front().at, points.back().at + kStep);
    EXPECT_EQ(view->points_used, points.size());
    ASSERT_EQ(view->past_coverage.size(), view->quantiles.size());
    const auto& noon = view->next_day[71].values;
    EXPECT_NEAR(noon.front(), 15, 1);
    EXPECT_LE(noon.front(), noon.back());
}

TEST(Foretell, TreatsASilentSourceAsMissingAndTheFutureAsUnknown) {
    auto points = two_weeks();
    const WallTime end = points.back().at;
    points.push_back({end + 24h, 1e6});
    const auto view = foretell(kShop, points, end + 3h, 5, {});
    ASSERT_TRUE(is_ok(view));
    EXPECT_EQ(view->next_hour.front().at, end + 3h + kStep);
    EXPECT_LT(view->next_day.back().values.back(), 100);
}

TEST(Foretell, SaysThatThereIsNoHistory) {
    EXPECT_TRUE(fails(foretell(kShop, {}, kBegin, 1, {}), ErrorCode::kNotFound, "penumbra history import"));
}

// As two_weeks(), on a clock that is `ahead` of UTC, with half the load on Sundays.
std::vector<MetricPoint> weeks_of_a_clock(WallTime begin, std::chrono::minutes ahead) {
    std::vector<MetricPoint> points;
    for (std::size_t index = 0; index < std::size_t(21 * 24 * 6); ++index) {
        const WallTime at = begin + kStep * index;
        const auto local = at + ahead;
        const auto today = std::chrono::floor<std::chrono::days>(local);
        const double day = std::chrono::duration<double>(local - today) / std::chrono::days(1);
        const double share = std::chrono::weekday(today) == std::chrono::Sunday ? 0.5 : 1;
        const double ripple = 0.3 * std::sin(static_cast<double>(index) * 1.7);
        points.push_back({at, share * (10 - 5 * std::cos(2 * std::numbers::pi * day)) + ripple});
    }
    return points;
}

WallTime busiest(const model::ForecastView& view) {
    return std::ranges::max_element(view.next_day, {}, [](const auto& point) { return point.values.front(); })->at;
}

TEST(Foretell, FollowsTheServicesClock) {
    const WallTime change = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 10 / 25)) + 1h;
    const auto points = weeks_of_a_clock(change - 1h - std::chrono::days(20), 120min);
    const WallTime now = points.back().at;
    const ServiceDays berlin{.clock = {{points.front().at, 120min}, {change, 60min}}};
    const auto by_utc = foretell(kShop, points, now, 5, {});
    const auto by_clock = foretell(kShop, points, now, 5, berlin);
    ASSERT_TRUE(is_ok(by_utc));
    ASSERT_TRUE(is_ok(by_clock));
    // The clock has gone back meanwhile: whoever came at ten by UTC comes at eleven.
    EXPECT_GE(busiest(*by_clock) - busiest(*by_utc), 40min);
    EXPECT_LE(busiest(*by_clock) - busiest(*by_utc), 80min);
}

TEST(Foretell, KnowsTheServicesHolidays) {
    const auto points = weeks_of_a_clock(kBegin, 0min);
    const WallTime now = points.back().at;
    const ServiceDays days{.special = {{.date = std::chrono::local_days(std::chrono::year(2026) / 11 / 23)}}};
    const auto ordinary = foretell(kShop, points, now, 5, {});
    const auto holiday = foretell(kShop, points, now, 5, days);
    ASSERT_TRUE(is_ok(ordinary));
    ASSERT_TRUE(is_ok(holiday));
    EXPECT_LT(holiday->next_day[71].values.front(), 0.7 * ordinary->next_day[71].values.front());
    const auto fewer = aimed_multiples({.steps = 3}, kShop, points, now, 5, days);
    const auto more = aimed_multiples({.steps = 3}, kShop, points, now, 5, {});
    ASSERT_TRUE(is_ok(fewer));
    ASSERT_TRUE(is_ok(more));
    EXPECT_LT(fewer->back(), more->back());
}

TEST(AimedMultiples, RiseFromThePresentToTheQuantilesPeak) {
    const auto points = two_weeks();
    const auto found = aimed_multiples({.quantile = 0.95, .steps = 4}, kShop, points, points.back().at, 5, {});
    ASSERT_TRUE(is_ok(found));
    ASSERT_EQ(found->size(), 4U);
    EXPECT_GT(found->front(), 1);
    EXPECT_NEAR(found->back(), 3.1, 0.2);
    EXPECT_NEAR((*found)[1] - (*found)[0], (*found)[3] - (*found)[2], 1e-9);
}

TEST(AimedMultiples, StayUnderThePresentWhereTheLoadWillFall) {
    const auto points = two_weeks();
    const auto found = aimed_multiples({.steps = 3}, kShop, points, points.back().at, 20, {});
    ASSERT_TRUE(is_ok(found));
    EXPECT_LT(found->back(), 1);
    EXPECT_NEAR(found->front() * 3, found->back(), 1e-9);
}

TEST(AimedMultiples, RefuseAnAimWithoutMeaning) {
    const auto points = two_weeks();
    const WallTime now = points.back().at;
    EXPECT_TRUE(fails(aimed_multiples({.steps = 2}, kShop, points, now, 5, {}), ErrorCode::kInvalidArgument, "steps"));
    EXPECT_TRUE(fails(aimed_multiples({}, kShop, points, now, 0, {}), ErrorCode::kUnavailable, "nothing is measured"));
    EXPECT_TRUE(fails(aimed_multiples({}, kShop, points, now, 0.1, {}), ErrorCode::kInvalidArgument, "by hand"));
    EXPECT_TRUE(fails(aimed_multiples({.quantile = 1}, kShop, points, now, 5, {}), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::coordinator
