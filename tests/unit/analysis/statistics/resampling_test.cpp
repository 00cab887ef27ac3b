#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "analysis/statistics/block_bootstrap.hpp"
#include "analysis/statistics/sign_flip.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::statistics {
namespace {

using penumbra::testing::fails;

TEST(SignFlip, EnumeratesSmallSamplesExactly) {
    EXPECT_DOUBLE_EQ(*sign_flip_p(std::vector<double>{1, 2, 3}), 1.0 / 8);
    EXPECT_DOUBLE_EQ(*sign_flip_p(std::vector<double>{-1, -2, -3}), 1.0);
    // sums >= 2 of +-1 +-2 +-3: 6, 4, 2
    EXPECT_DOUBLE_EQ(*sign_flip_p(std::vector<double>{1, -2, 3}), 3.0 / 8);
    EXPECT_DOUBLE_EQ(*sign_flip_p(std::vector<double>(7, 0.1)), 1.0 / 128);
    EXPECT_TRUE(fails(sign_flip_p({}), ErrorCode::kInvalidArgument));
}

TEST(SignFlip, DrawsForLargeSamplesAndIsTheSameForASeed) {
    Random random(5);
    std::vector<double> d(400);
    for (double& v : d)
        v = random.normal() + 0.1;
    const double p = *sign_flip_p(d);
    EXPECT_LT(p, 0.06);  // z about 2
    EXPECT_EQ(p, *sign_flip_p(d));
}

TEST(Permutation, SeesThatSevenOfTenAreAHundredTimesWorse) {
    // the case of spinnaker#6278: ranks alone pass it
    const std::vector<double> y = {1, 1.1, 0.9, 1.2, 1, 1.05, 0.95, 1, 1.1, 0.9};
    std::vector<double> x = y;
    for (std::size_t i = 0; i < 7; ++i)
        x[i] *= 100;
    EXPECT_LT(*permutation_p(x, y), 0.005);
    EXPECT_GT(*permutation_p(y, y), 0.3);
}

TEST(BlockBootstrap, CoversTheMeanOfACorrelatedSeriesWhenBlocksAreLong) {
    int covered = 0;
    int covered_by_single_values = 0;
    for (int run = 0; run < 100; ++run) {
        Random random(static_cast<std::uint64_t>(run) + 100);
        std::vector<double> series(400);
        double state = 0;
        for (double& v : series)
            v = state = 0.8 * state + random.normal();
        const ResampleStatistic average = [&](std::span<const std::size_t> places) {
            double sum = 0;
            for (const std::size_t place : places)
                sum += series[place];
            return sum / static_cast<double>(places.size());
        };
        const auto holds_zero = [](const model::Interval& i) { return i.low <= 0 && 0 <= i.high ? 1 : 0; };
        covered += holds_zero(*block_bootstrap(series.size(), average, {.block = 25, .replicates = 300}));
        covered_by_single_values +=
            holds_zero(*block_bootstrap(series.size(), average, {.block = 1, .replicates = 300}));
    }
    EXPECT_GE(covered, 83);
    EXPECT_LE(covered_by_single_values, 65);
}

TEST(BlockBootstrap, WhatHasNoMeaningIsAnError) {
    const ResampleStatistic one = [](std::span<const std::size_t>) { return 1.0; };
    const ResampleStatistic nan = [](std::span<const std::size_t>) { return NAN; };
    EXPECT_TRUE(fails(block_bootstrap(0, one, {}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(block_bootstrap(10, one, {.block = 11}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(block_bootstrap(10, nan, {}), ErrorCode::kInvalidArgument, "not a number"));
    EXPECT_EQ(block_bootstrap(10, one, {})->low, 1);
}

}  // namespace
}  // namespace penumbra::analysis::statistics
