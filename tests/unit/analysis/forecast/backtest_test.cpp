#include "analysis/forecast/backtest.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::forecast {
namespace {

using testing::fails;
using testing::is_ok;
using namespace std::chrono_literals;

History waves(std::size_t days, double noise) {
    History history{.step = 1h};
    Random random(7);
    for (std::size_t i = 0; i < days * 24; ++i) {
        history.values.push_back(100 - 40 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / 24) +
                                 noise * random.normal());
    }
    return history;
}

const RivalScore& of(const Backtest& test, Rival rival) {
    return test.scores[static_cast<std::size_t>(rival)];
}

TEST(Backtest, AShapeThatRepeatsBeatsWhatIsNow) {
    const auto test = backtest(waves(30, 3), {});
    ASSERT_TRUE(is_ok(test));
    EXPECT_EQ(test->origins, 20U);
    EXPECT_EQ(test->horizon, 24U);
    EXPECT_EQ(test->scored, 480U);
    EXPECT_EQ(test->first_origin, WallTime(15 * 24h));
    EXPECT_EQ(test->last_origin, WallTime(29 * 24h));
    // noise against noise a season ago: sqrt(2) times as much, so a perfect shape has 1 / sqrt(2)
    EXPECT_NEAR(of(*test, Rival::kSeasonalNaive).mase, 1, 0.1);
    EXPECT_LT(of(*test, Rival::kForecaster).mase, 0.85);
    EXPECT_GT(of(*test, Rival::kNaive).mase, 5);
    EXPECT_NEAR(of(*test, Rival::kForecaster).coverage, 0.95, 0.04);
    EXPECT_NEAR(of(*test, Rival::kSeasonalNaive).coverage, 0.95, 0.04);
    EXPECT_LT(of(*test, Rival::kForecaster).pinball, of(*test, Rival::kSeasonalNaive).pinball);
}

TEST(Backtest, SeesOnlyWhatCameBefore) {
    History history = waves(20, 3);
    const BacktestOptions once{.horizon = 12, .origins = 1};
    const auto before = backtest(history, once);
    // the last horizon is scaled: the forecast for it must not move, its errors must
    for (std::size_t i = history.values.size() - 12; i < history.values.size(); ++i)
        history.values[i] += 1000;
    const auto after = backtest(history, once);
    ASSERT_TRUE(is_ok(before));
    ASSERT_TRUE(is_ok(after));
    const double scale = (of(*after, Rival::kNaive).mase - of(*before, Rival::kNaive).mase);
    EXPECT_GT(scale, 10);
    EXPECT_EQ(of(*after, Rival::kForecaster).coverage, 0);
    EXPECT_NEAR(of(*after, Rival::kForecaster).mase, scale, 0.2 * scale);
}

TEST(Backtest, MissingValuesAreNotScored) {
    History history = waves(20, 3);
    for (std::size_t i = 300; i < 330; ++i)
        history.values[i] = std::numeric_limits<double>::quiet_NaN();
    const auto test = backtest(history, {.origins = 5});
    ASSERT_TRUE(is_ok(test));
    EXPECT_LT(test->scored, 5U * 24);
    EXPECT_TRUE(std::isfinite(of(*test, Rival::kNaive).pinball));
}

TEST(Backtest, RefusesWhatCannotBeTested) {
    EXPECT_TRUE(fails(backtest(waves(3, 1), {}), ErrorCode::kInvalidArgument, "too few"));
    EXPECT_TRUE(fails(backtest(waves(20, 1), {.origins = 0}), ErrorCode::kInvalidArgument, "needs an origin"));
    EXPECT_TRUE(fails(backtest(waves(20, 1), {.quantile = 1}), ErrorCode::kInvalidArgument, "quantile"));
    EXPECT_TRUE(fails(backtest({.step = 0h, .values = {1, 2}}, {}), ErrorCode::kInvalidArgument, "step"));
    History flat = waves(20, 0);
    flat.values.assign(flat.values.size(), 5);
    EXPECT_TRUE(fails(backtest(flat, {}), ErrorCode::kInvalidArgument, "never changes"));
}

}  // namespace
}  // namespace penumbra::analysis::forecast
