#include "analysis/forecast/forecaster.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/forecast/generated_series.hpp"

namespace penumbra::analysis::forecast {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::error_against_truth;
using testing::make;
using testing::truth;
using testing::World;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// EXPECT-able sameness, NaN being equal to itself.
bool same(const ForecastResult& a, const ForecastResult& b) {
    if (a.steps.size() != b.steps.size() || a.explanation != b.explanation) return false;
    for (std::size_t k = 0; k < a.steps.size(); ++k) {
        if (a.steps[k].at != b.steps[k].at || a.steps[k].values != b.steps[k].values) return false;
    }
    return true;
}

TEST(Forecaster, FindsTheDayAndTheWeek) {
    const World world{.seed = 3};
    const auto model = Forecaster::fit(make(world), {});
    ASSERT_TRUE(is_ok(model));
    const auto forecast = model->forecast(48);
    EXPECT_EQ(forecast.steps.size(), 48U);
    EXPECT_EQ(forecast.regime, Regime::kWeekly);
    // the noise alone has a mean size of 3.2; the seasons would cost 20 and more
    EXPECT_LT(error_against_truth(world, forecast, world.points), 2.5);
    EXPECT_EQ(forecast.steps[0].at, WallTime(1h * world.points));
    EXPECT_NE(forecast.explanation.find("weekly regime from 672 points"), std::string::npos) << forecast.explanation;
}

TEST(Forecaster, CoversAsOftenAsItSaysAndSaysHowOftenItDid) {
    double covered = 0;
    double foretold = 0;
    double said = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        // origins at every hour of the day and day of the week
        const World world{.seed = seed, .points = 24 * 30 + 11 * seed};
        History history = make(world);
        const std::vector<double> future(history.values.end() - 48, history.values.end());
        history.values.resize(history.values.size() - 48);
        const auto forecast = Forecaster::fit(history, {.quantiles = {0.5, 0.95}})->forecast(48);
        said += forecast.past_coverage[1] / 30;
        EXPECT_NEAR(forecast.past_coverage[1], 0.95, 0.06) << seed;
        EXPECT_GT(forecast.checked, 1000U);
        for (std::size_t k = 0; k < 48; ++k)
            covered += future[k] <= forecast.steps[k].values[1] ? 1 : 0;
        foretold += 48;
    }
    EXPECT_NEAR(said, 0.95, 0.02);
    EXPECT_NEAR(covered / foretold, said, 0.025);
}

TEST(Forecaster, GoesOnFromItsStoredStateAsIfItHadNeverStopped) {
    const World world{.seed = 5, .step = 30min, .points = 48 * 16, .missing = 0.05};
    const History all = make(world);
    History first = all;
    first.values.resize(48 * 12);
    auto straight = *Forecaster::fit(first, {.utc_offset = 90min});
    auto stored = straight;
    for (std::size_t i = first.values.size(); i < all.values.size(); ++i) {
        straight.update(all.values[i]);
        if (i % 37 == 0) {
            auto restored = Forecaster::restore(stored.save());
            ASSERT_TRUE(is_ok(restored));
            stored = *std::move(restored);
        }
        stored.update(all.values[i]);
    }
    EXPECT_TRUE(same(straight.forecast(96), stored.forecast(96)));
}

TEST(Forecaster, AStateThatIsDamagedIsRefused) {
    const auto state = Forecaster::fit(make({}), {})->save();
    EXPECT_TRUE(fails(Forecaster::restore({}), ErrorCode::kDataLoss));
    EXPECT_TRUE(fails(Forecaster::restore(std::span(state).first(state.size() - 1)), ErrorCode::kDataLoss));
    auto other = state;
    other[0] = std::byte{99};
    EXPECT_TRUE(fails(Forecaster::restore(other), ErrorCode::kDataLoss, "version"));
}

RC_GTEST_PROP(Forecaster, NoDamageToAStateIsMoreThanAnErrorOrAnOddForecast, (std::uint64_t seed)) {
    static const auto kState = Forecaster::fit(make({.points = 24 * 15}), {.horizon = 24})->save();
    Random random(seed);
    auto state = kState;
    for (int i = 0; i < 3; ++i) {
        state[random.below(state.size())] = static_cast<std::byte>(random.below(256));
    }
    auto restored = Forecaster::restore(state);
    if (!restored) return;
    restored->update(5);
    RC_ASSERT(restored->forecast(24).steps.size() <= 24U);
}

RC_GTEST_PROP(Forecaster, QuantilesRiseAndStayWithinTheMetric, (std::uint64_t seed)) {
    Random random(seed);
    World world{.seed = seed, .points = 60 + random.below(400), .noise = 60, .missing = 0.2};
    const auto forecast = Forecaster::fit(make(world), {.highest = 150})->forecast(48);
    for (const auto& step : forecast.steps) {
        RC_ASSERT(std::ranges::is_sorted(step.values));
        RC_ASSERT(step.values.front() >= 0);
        RC_ASSERT(step.values.back() <= 150);
    }
}

TEST(Forecaster, FollowsItsUnit) {
    // scale invariance; a power of two, so that rounding is the same
    const World world{.seed = 8};
    History history = make(world);
    const auto plain = Forecaster::fit(history, {})->forecast(48);
    for (double& v : history.values)
        v *= 1024;
    const auto scaled = Forecaster::fit(history, {})->forecast(48);
    for (std::size_t k = 0; k < 48; ++k) {
        EXPECT_NEAR(scaled.steps[k].values[2], 1024 * plain.steps[k].values[2], 0.02 * 1024 * plain.steps[k].values[2]);
    }
}

TEST(Forecaster, GapsCostLittle) {
    // F9: 10 % at random and a block of 6 h: at most 1.10 of the clean run a day later
    double clean = 0;
    double gappy = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const World world{.seed = seed, .points = 24 * 28 + 13 * seed};
        History whole = make(world);
        const std::vector<double> future(whole.values.end() - 24, whole.values.end());
        whole.values.resize(whole.values.size() - 24);
        History broken = whole;
        Random random(seed + 1000);
        for (double& v : broken.values)
            v = random.uniform() < 0.1 ? kNaN : v;
        std::fill(broken.values.end() - 30, broken.values.end() - 24, kNaN);
        const auto straight = Forecaster::fit(whole, {})->forecast(24);
        const auto holed = Forecaster::fit(broken, {})->forecast(24);
        for (std::size_t k = 0; k < 24; ++k) {
            clean += std::abs(future[k] - straight.steps[k].values[0]);
            gappy += std::abs(future[k] - holed.steps[k].values[0]);
        }
    }
    EXPECT_LE(gappy, 1.10 * clean);
}

TEST(Forecaster, ALevelThatDoublesIsFollowedWithinDays) {
    const World world{.seed = 2, .points = 24 * 28, .shift_at = 24 * 24};
    const auto model = *Forecaster::fit(make(world), {});
    const auto forecast = model.forecast(12);
    double level = 0;
    for (std::size_t k = 0; k < 12; ++k)
        level += truth(world, world.points + k) / 12;
    EXPECT_LT(error_against_truth(world, forecast, world.points), 0.15 * level) << forecast.explanation;
}

TEST(Forecaster, AnOutageIsNotLearnt) {
    const World world{.seed = 4, .step = 5min, .points = 288 * 10, .noise = 2};
    History history = make(world);
    const auto before = Forecaster::fit(history, {})->forecast(12);
    auto model = *Forecaster::fit(history, {});
    for (int i = 0; i < 12; ++i)
        model.update(0);
    const auto after = model.forecast(12);
    // still the load that comes back when the service does
    EXPECT_NEAR(after.steps[0].values[0], truth(world, world.points + 12), 10) << after.explanation;
    EXPECT_NE(after.explanation.find("down for 12 steps"), std::string::npos) << after.explanation;
    EXPECT_GT(before.steps[0].values[0], 50);
}

TEST(Forecaster, FirstDaysSayWhatTheyAre) {
    History history{.step = 1h, .values = {5, 6, 7}};
    const auto forecast = Forecaster::fit(history, {})->forecast(5);
    EXPECT_EQ(forecast.regime, Regime::kFirstDays);
    EXPECT_TRUE(std::isnan(forecast.past_coverage[0]));
    for (const auto& step : forecast.steps)
        EXPECT_NEAR(step.values[0], 6, 2);
}

TEST(Forecaster, ARiseIsForetold) {
    const World world{.seed = 6, .daily = 80, .weekend = 0};
    // 28 days end at the mean of a rising flank: the peak, 80 % above, is six hours off
    EXPECT_NEAR(Forecaster::fit(make(world), {})->expected_rise(8), 1.0, 0.35);
    EXPECT_LT(Forecaster::fit(make({.daily = 0, .weekend = 0}), {})->expected_rise(8), 0.1);
}

TEST(Forecaster, WhatHasNoMeaningIsAnErrorAndWhatIsOddHasAnAnswer) {
    const History good = make({});
    EXPECT_TRUE(
        fails(Forecaster::fit({.step = 7min, .values = good.values}, {}), ErrorCode::kInvalidArgument, "divide a day"));
    EXPECT_TRUE(
        fails(Forecaster::fit({.step = 1h, .values = {1, INFINITY}}, {}), ErrorCode::kInvalidArgument, "infinite"));
    EXPECT_TRUE(
        fails(Forecaster::fit({.step = 1h, .values = {kNaN, kNaN, 1}}, {}), ErrorCode::kInvalidArgument, "2 values"));
    EXPECT_TRUE(fails(Forecaster::fit({.step = 1h}, {}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(Forecaster::fit(good, {.quantiles = {0.9, 0.5}}), ErrorCode::kInvalidArgument, "rise"));
    EXPECT_TRUE(fails(Forecaster::fit(good, {.horizon = 1'000'000}), ErrorCode::kResourceExhausted));
    History million{.step = 1min, .values = std::vector<double>(1'000'000, 1.0)};
    EXPECT_TRUE(fails(Forecaster::fit(million, {}), ErrorCode::kResourceExhausted));
    const auto constant = Forecaster::fit({.step = 1h, .values = std::vector<double>(400, 7.0)}, {});
    ASSERT_TRUE(is_ok(constant));
    for (const auto& step : constant->forecast(48).steps)
        EXPECT_NEAR(step.values[3], 7, 1e-6);
    const auto zeros = Forecaster::fit({.step = 1h, .values = std::vector<double>(400, 0.0)}, {});
    EXPECT_NEAR(zeros->forecast(5).steps[4].values[3], 0, 1e-6);
}

TEST(OnGrid, FindsTheStepAveragesAndLeavesGaps) {
    const WallTime begin(1'700'000'000s);
    const std::vector<Observation> observations = {
        {begin + 10min, 3}, {begin, 1}, {begin + 5min, 2}, {begin + 5min, 4}, {begin + 25min, 9}};
    const auto history = on_grid(observations, 0min);
    ASSERT_TRUE(is_ok(history));
    EXPECT_EQ(history->step, 5min);
    ASSERT_EQ(history->values.size(), 6U);
    EXPECT_EQ(history->values[1], 3);
    EXPECT_TRUE(std::isnan(history->values[3]));
    EXPECT_EQ(history->values[5], 9);
    EXPECT_TRUE(fails(on_grid(std::span(observations).first(1), 5min), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(on_grid(observations, 7min), ErrorCode::kInvalidArgument, "divide a day"));
    const std::vector<Observation> far = {{begin, 1}, {begin + 24h * 36500, 1}};
    EXPECT_TRUE(fails(on_grid(far, 1min), ErrorCode::kResourceExhausted));
}

}  // namespace
}  // namespace penumbra::analysis::forecast
