#include "analysis/forecast/joint.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/forecast/generated_series.hpp"

namespace penumbra::analysis::forecast {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::make;
using testing::World;

const ForecastOptions kOptions{.quantiles = {0.05, 0.5, 0.95}};

/// Without seasons: what a model has not learnt yet of a common one would be a common error.
std::vector<History> independent(std::size_t count, std::uint64_t seed = 10) {
    std::vector<History> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back(make({.seed = seed + i, .daily = 0, .weekend = 0, .noise = 12}));
    return all;
}

double width(const ForecastStep& step) {
    return step.values.back() - step.values.front();
}

TEST(Joint, SeriesThatAreOneAddUpWhole) {
    const History one = make({.seed = 3, .noise = 12});
    History twice = one;
    for (double& value : twice.values)
        value *= 2;
    const auto joint = forecast_together(std::vector<History>{one, twice}, kOptions, 24);
    ASSERT_TRUE(is_ok(joint));
    for (std::size_t k = 0; k < 24; ++k) {
        for (std::size_t q = 0; q < 3; ++q) {
            const double whole = joint->each[0].steps[k].values[q] + joint->each[1].steps[k].values[q];
            EXPECT_NEAR(joint->sum[k].values[q], whole, 0.02 * whole) << k << " " << q;
        }
    }
}

TEST(Joint, IndependentSeriesAddUpNarrower) {
    const auto joint = forecast_together(independent(4), kOptions, 24);
    ASSERT_TRUE(is_ok(joint));
    double sum = 0;
    double whole = 0;
    for (std::size_t k = 0; k < 24; ++k) {
        sum += width(joint->sum[k]);
        for (const ForecastResult& one : joint->each)
            whole += width(one.steps[k]);
    }
    // four independent ones: half the width
    EXPECT_NEAR(sum / whole, 0.5, 0.12);
}

TEST(Joint, OppositesCancel) {
    History one = make({.seed = 3, .daily = 0, .weekend = 0, .noise = 12});
    History other = one;
    for (double& value : other.values)
        value = 300 - value;
    const auto joint = forecast_together(std::vector<History>{one, other}, kOptions, 12);
    ASSERT_TRUE(is_ok(joint));
    for (std::size_t k = 0; k < 12; ++k)
        EXPECT_LT(width(joint->sum[k]), 0.35 * width(joint->each[0].steps[k])) << k;
}

TEST(Joint, TheSumIsCoveredAsOftenAsItsParts) {
    // half of the noise is common: neither whole nor independent
    double covered = 0;
    double whole = 0;
    double alone = 0;
    double count = 0;
    for (std::uint64_t seed = 0; seed < 25; ++seed) {
        Random random(seed + 500);
        auto all = independent(3, 100 + 10 * seed);
        for (std::size_t i = 0; i < all[0].values.size(); ++i) {
            const double common = 12 * random.normal();
            for (History& history : all)
                history.values[i] += common;
        }
        std::vector<double> came(24);
        std::vector<std::vector<double>> each_came;
        for (History& history : all) {
            each_came.emplace_back(history.values.end() - 24, history.values.end());
            for (std::size_t k = 0; k < 24; ++k)
                came[k] += each_came.back()[k];
            history.values.resize(history.values.size() - 24);
        }
        const auto joint = forecast_together(all, {.quantiles = {0.9}}, 24);
        ASSERT_TRUE(is_ok(joint));
        for (std::size_t k = 0; k < 24; ++k) {
            double of_quantiles = 0;
            for (std::size_t i = 0; i < all.size(); ++i) {
                of_quantiles += joint->each[i].steps[k].values[0];
                alone += each_came[i][k] <= joint->each[i].steps[k].values[0] ? 1.0 / 3 : 0;
            }
            covered += came[k] <= joint->sum[k].values[0] ? 1 : 0;
            whole += came[k] <= of_quantiles ? 1 : 0;
            count += 1;
        }
    }
    EXPECT_NEAR(covered / count, alone / count, 0.04);
    EXPECT_GT(whole / count, covered / count) << "the sum of the quantiles is too much";
}

TEST(Joint, QuantilesRiseAndALoneSeriesIsItself) {
    auto all = independent(3);
    for (std::size_t i = 0; i < all[1].values.size(); i += 7)
        all[1].values[i] = std::numeric_limits<double>::quiet_NaN();
    const auto joint = forecast_together(all, kOptions, 30);
    ASSERT_TRUE(is_ok(joint));
    for (const ForecastStep& step : joint->sum)
        EXPECT_TRUE(std::ranges::is_sorted(step.values));
    const auto lone = forecast_together(std::vector<History>{all[0]}, kOptions, 30);
    ASSERT_TRUE(is_ok(lone));
    for (std::size_t k = 0; k < 30; ++k)
        EXPECT_NEAR(lone->sum[k].values[2], lone->each[0].steps[k].values[2], 1.0);
}

TEST(Joint, AShortHistoryIsTakenToRiseTogether) {
    std::vector<History> all = independent(2);
    for (History& history : all)
        history.values.resize(60);
    const auto joint = forecast_together(all, kOptions, 24);
    ASSERT_TRUE(is_ok(joint));
    EXPECT_NE(joint->explanation.find("rise together"), std::string::npos) << joint->explanation;
    EXPECT_DOUBLE_EQ(joint->sum[0].values[2], joint->each[0].steps[0].values[2] + joint->each[1].steps[0].values[2]);
}

TEST(Joint, WhatHasNoMeaningIsRefused) {
    EXPECT_TRUE(fails(forecast_together({}, kOptions, 24), ErrorCode::kInvalidArgument, "needs a series"));
    auto all = independent(2);
    all[1].values.pop_back();
    EXPECT_TRUE(fails(forecast_together(all, kOptions, 24), ErrorCode::kInvalidArgument, "one grid"));
    all = independent(2);
    all[0].values[3] = std::numeric_limits<double>::infinity();
    EXPECT_TRUE(fails(forecast_together(all, kOptions, 24), ErrorCode::kInvalidArgument, "infinite"));
    const std::vector<History> many(2000, History{.step = 1h, .values = {1, 2}});
    EXPECT_TRUE(fails(forecast_together(many, kOptions, 24), ErrorCode::kResourceExhausted, "at most"));
}

}  // namespace
}  // namespace penumbra::analysis::forecast
