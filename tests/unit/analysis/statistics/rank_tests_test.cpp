#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "analysis/random.hpp"
#include "analysis/statistics/mann_whitney.hpp"
#include "analysis/statistics/wilcoxon.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/golden_numbers.hpp"

namespace penumbra::analysis::statistics {
namespace {

using analysis::testing::expect_close;
using analysis::testing::GoldenNumbers;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

void expect_exact(const RankTest& test, const std::vector<double>& r) {
    EXPECT_TRUE(test.exact);
    expect_close(test.statistic, r[0]);
    expect_close(test.p_two_sided, r[1]);
    expect_close(test.p_less, r[2]);
    expect_close(test.p_greater, r[3]);
    expect_close(test.shift, r[4]);
    expect_close(test.interval.low, r[5]);
    expect_close(test.interval.high, r[6]);
}

void expect_approximate(const RankTest& test, const std::vector<double>& r) {
    EXPECT_FALSE(test.exact);
    expect_close(test.statistic, r[0]);
    expect_close(test.p_two_sided, r[1]);
    expect_close(test.p_less, r[2]);
    expect_close(test.p_greater, r[3]);
}

TEST(MannWhitney, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    expect_exact(*mann_whitney(r.at("x"), r.at("y")), r.at("mann_whitney_exact"));
    expect_approximate(*mann_whitney(r.at("xt"), r.at("yt")), r.at("mann_whitney_ties"));
}

TEST(Wilcoxon, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    expect_exact(*wilcoxon_signed_rank(r.at("x")), r.at("signed_rank_exact"));
    expect_approximate(*wilcoxon_signed_rank(r.at("xt")), r.at("signed_rank_ties"));
}

std::vector<double> noise(Random& random, std::size_t n) {
    std::vector<double> values(n);
    for (double& v : values)
        v = random.normal();
    return values;
}

RC_GTEST_PROP(MannWhitney, IsMirroredWhenTheSamplesSwap, (std::uint64_t seed)) {
    Random random(seed);
    const auto x = noise(random, 1 + random.below(20));
    const auto y = noise(random, 1 + random.below(20));
    const auto there = *mann_whitney(x, y);
    const auto back = *mann_whitney(y, x);
    RC_ASSERT(std::abs(there.p_greater - back.p_less) < 1e-12);
    RC_ASSERT(std::abs(there.shift + back.shift) < 1e-12);
    RC_ASSERT(std::abs(there.interval.low + back.interval.high) < 1e-12);
}

RC_GTEST_PROP(MannWhitney, FollowsAShiftAndAScale, (std::uint64_t seed)) {
    Random random(seed);
    auto x = noise(random, 12);
    auto y = noise(random, 15);
    const auto before = *mann_whitney(x, y);
    for (double& v : x)
        v = 4 * v + 8;
    for (double& v : y)
        v = 4 * v + 8;
    const auto scaled = *mann_whitney(x, y);
    RC_ASSERT(scaled.p_two_sided == before.p_two_sided);
    RC_ASSERT(std::abs(scaled.shift - 4 * before.shift) < 1e-9);
    for (double& v : x)
        v += 2;
    const auto shifted = *mann_whitney(x, y);
    RC_ASSERT(std::abs(shifted.shift - scaled.shift - 2) < 1e-9);
    RC_ASSERT(shifted.p_greater <= scaled.p_greater + 1e-12);
}

RC_GTEST_PROP(Wilcoxon, TheIntervalHoldsTheEstimateAndMovesWithIt, (std::uint64_t seed)) {
    Random random(seed);
    auto d = noise(random, 5 + random.below(60));
    const auto before = *wilcoxon_signed_rank(d);
    RC_ASSERT(before.interval.low <= before.shift);
    RC_ASSERT(before.shift <= before.interval.high);
    for (double& v : d)
        v += 3;
    const auto after = *wilcoxon_signed_rank(d);
    RC_ASSERT(std::abs(after.shift - before.shift - 3) < 1e-9);
    RC_ASSERT(std::abs(after.interval.low - before.interval.low - 3) < 1e-9);
}

TEST(Wilcoxon, TheIntervalCoversAsOftenAsItSays) {
    Random random(7);
    int covered = 0;
    for (int run = 0; run < 1000; ++run) {
        const auto test = *wilcoxon_signed_rank(noise(random, 12), {.confidence = 0.9});
        covered += test.interval.low <= 0 && 0 <= test.interval.high ? 1 : 0;
    }
    EXPECT_GE(covered, 880);  // exact coverage 0.908; 3 sigma below is 880
    EXPECT_LE(covered, 940);
}

TEST(MannWhitney, SmallestPValueIsOneOverTheArrangements) {
    const auto test = *mann_whitney(std::vector<double>{4, 5, 6}, std::vector<double>{1, 2, 3});
    EXPECT_DOUBLE_EQ(test.p_greater, 1.0 / 20);
}

TEST(RankTests, ConstantAndEqualSamplesSayNothing) {
    const std::vector<double> constant(9, 2.5);
    const auto two = mann_whitney(constant, constant);
    ASSERT_TRUE(is_ok(two));
    EXPECT_EQ(two->p_two_sided, 1);
    EXPECT_EQ(two->shift, 0);
    const auto one = wilcoxon_signed_rank(std::vector<double>(9, 0.0));
    ASSERT_TRUE(is_ok(one));
    EXPECT_EQ(one->p_two_sided, 1);
    EXPECT_EQ(one->interval.high, 0);
}

TEST(RankTests, WhatIsNotANumberOrNotThereOrTooMuchIsAnError) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<double> one = {1};
    EXPECT_TRUE(fails(mann_whitney({}, one), ErrorCode::kInvalidArgument, "at least 1"));
    EXPECT_TRUE(fails(mann_whitney(std::vector{1.0, nan}, one), ErrorCode::kInvalidArgument, "nan at place 1"));
    EXPECT_TRUE(fails(mann_whitney(one, std::vector{infinity}), ErrorCode::kInvalidArgument, "inf"));
    EXPECT_TRUE(fails(wilcoxon_signed_rank({}), ErrorCode::kInvalidArgument));
    const std::vector<double> million(1'000'000, 1.0);
    EXPECT_TRUE(fails(wilcoxon_signed_rank(million), ErrorCode::kResourceExhausted, "blocks"));
    EXPECT_TRUE(fails(mann_whitney(million, million), ErrorCode::kResourceExhausted, "blocks"));
}

}  // namespace
}  // namespace penumbra::analysis::statistics
