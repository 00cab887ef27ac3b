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
    const auto view = foretell(kShop, points, now, 5);
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
    const auto view = foretell(kShop, points, end + 3h, 5);
    ASSERT_TRUE(is_ok(view));
    EXPECT_EQ(view->next_hour.front().at, end + 3h + kStep);
    EXPECT_LT(view->next_day.back().values.back(), 100);
}

TEST(Foretell, SaysThatThereIsNoHistory) {
    EXPECT_TRUE(fails(foretell(kShop, {}, kBegin, 1), ErrorCode::kNotFound, "penumbra history import"));
}

TEST(AimedMultiples, RiseFromThePresentToTheQuantilesPeak) {
    const auto points = two_weeks();
    const auto found = aimed_multiples({.quantile = 0.95, .steps = 4}, kShop, points, points.back().at, 5);
    ASSERT_TRUE(is_ok(found));
    ASSERT_EQ(found->size(), 4U);
    EXPECT_GT(found->front(), 1);
    EXPECT_NEAR(found->back(), 3.1, 0.2);
    EXPECT_NEAR((*found)[1] - (*found)[0], (*found)[3] - (*found)[2], 1e-9);
}

TEST(AimedMultiples, StayUnderThePresentWhereTheLoadWillFall) {
    const auto points = two_weeks();
    const auto found = aimed_multiples({.steps = 3}, kShop, points, points.back().at, 20);
    ASSERT_TRUE(is_ok(found));
    EXPECT_LT(found->back(), 1);
    EXPECT_NEAR(found->front() * 3, found->back(), 1e-9);
}

TEST(AimedMultiples, RefuseAnAimWithoutMeaning) {
    const auto points = two_weeks();
    const WallTime now = points.back().at;
    EXPECT_TRUE(fails(aimed_multiples({.steps = 2}, kShop, points, now, 5), ErrorCode::kInvalidArgument, "steps"));
    EXPECT_TRUE(fails(aimed_multiples({}, kShop, points, now, 0), ErrorCode::kUnavailable, "nothing is measured"));
    EXPECT_TRUE(fails(aimed_multiples({}, kShop, points, now, 0.1), ErrorCode::kInvalidArgument, "by hand"));
    EXPECT_TRUE(fails(aimed_multiples({.quantile = 1}, kShop, points, now, 5), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::coordinator
