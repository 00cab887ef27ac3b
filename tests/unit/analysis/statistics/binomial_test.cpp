#include "analysis/statistics/binomial.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "analysis/random.hpp"
#include "analysis/statistics/normal.hpp"
#include "analysis/statistics/power.hpp"
#include "analysis/statistics/quantile_interval.hpp"
#include "analysis/statistics/rate_test.hpp"
#include "analysis/statistics/student_t.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/golden_numbers.hpp"

namespace penumbra::analysis::statistics {
namespace {

using analysis::testing::expect_close;
using analysis::testing::GoldenNumbers;
using penumbra::testing::fails;

TEST(Normal, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    for (std::size_t i = 0; i < r.at("z").size(); ++i) {
        expect_close(normal_cdf(r.at("z")[i]), r.at("normal_cdf")[i], 1e-13);
    }
    for (std::size_t i = 0; i < r.at("probabilities").size(); ++i) {
        expect_close(normal_quantile(r.at("probabilities")[i]), r.at("normal_quantiles")[i], 1e-13);
    }
    EXPECT_TRUE(std::isinf(normal_quantile(0)));
    EXPECT_TRUE(std::isinf(normal_quantile(1)));
    EXPECT_TRUE(std::isnan(normal_quantile(std::numeric_limits<double>::quiet_NaN())));
}

TEST(StudentT, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    for (std::size_t i = 0; i < r.at("student_t_p").size(); ++i) {
        expect_close(student_t_quantile(r.at("student_t_p")[i], 7.3), r.at("student_t_7.3")[i]);
    }
}

TEST(Binomial, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    expect_close(binomial_cdf(3, 100, 0.05), r.at("binomial_cdf_3_100_0.05")[0]);
    expect_close(binomial_cdf(900, 1000, 0.95), r.at("binomial_cdf_900_1000_0.95")[0]);
    expect_close(incomplete_beta(2.5, 0.5, 0.3), r.at("beta_2.5_0.5_0.3")[0]);
    expect_close(incomplete_beta(300, 700, 0.31), r.at("beta_300_700_0.31")[0]);
}

TEST(ClopperPearson, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    const auto check = [&](const char* name, std::uint64_t k, std::uint64_t n, double confidence) {
        const auto interval = *clopper_pearson(k, n, confidence);
        expect_close(interval.low, r.at(name)[0]);
        expect_close(interval.high, r.at(name)[1]);
    };
    check("clopper_pearson_7_of_59_at_95", 7, 59, 0.95);
    check("clopper_pearson_0_of_29_at_90", 0, 29, 0.9);
    check("clopper_pearson_299_of_300_at_99", 299, 300, 0.99);
    EXPECT_TRUE(fails(clopper_pearson(2, 1, 0.95), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(clopper_pearson(0, 0, 0.95), ErrorCode::kInvalidArgument));
}

TEST(ClopperPearson, RunsWithoutFailureCertify) {
    EXPECT_EQ(zero_failures_needed(0.90, 0.95), 29U);
    EXPECT_EQ(zero_failures_needed(0.95, 0.95), 59U);
    EXPECT_EQ(zero_failures_needed(0.99, 0.95), 299U);
    EXPECT_GE(zero_failures_bound(59, 0.95), 0.95);
    EXPECT_LT(zero_failures_bound(58, 0.95), 0.95);
}

TEST(ClopperPearson, ARemediationWrongInOneOfTenIsNotCertified) {
    // test 25 of the effects report: the claim ">= 95 %" after 59 runs needs none to fail
    Random random(25);
    int rejected = 0;
    for (int campaign = 0; campaign < 200; ++campaign) {
        std::uint64_t good = 0;
        for (int run = 0; run < 59; ++run)
            good += random.uniform() < 0.9 ? 1 : 0;
        rejected += clopper_pearson(good, 59, 0.90)->low < 0.95 ? 1 : 0;
    }
    EXPECT_GE(rejected, 198);
}

TEST(RateTest, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    expect_close(*rate_greater_p({.events = 17, .exposure = 1200}, {.events = 6, .exposure = 1000}),
                 r.at("rate_greater_17_1200_6_1000")[0]);
    expect_close(*rate_greater_p({.events = 7, .exposure = 1}, {.events = 0, .exposure = 1}),
                 r.at("rate_greater_7_0")[0]);
    EXPECT_EQ(*rate_greater_p({.events = 0, .exposure = 1}, {.events = 9, .exposure = 1}), 1);
    EXPECT_TRUE(
        fails(rate_greater_p({.events = 1, .exposure = 0}, {.events = 0, .exposure = 1}), ErrorCode::kInvalidArgument));
}

TEST(RateTest, ShareDifferenceIsNewcombesPublishedExample) {
    // Newcombe 1998, table II, (a) 56/70 - 48/80, method 10: 0.0524 to 0.3339; (g) 0/10 - 0/10: -0.2775 to 0.2775
    const auto a = *share_difference({.events = 56, .exposure = 70}, {.events = 48, .exposure = 80}, 0.95);
    EXPECT_NEAR(a.low, 0.0524, 5e-5);
    EXPECT_NEAR(a.high, 0.3339, 5e-5);
    const auto none = *share_difference({.events = 0, .exposure = 10}, {.events = 0, .exposure = 10}, 0.95);
    EXPECT_NEAR(none.high, 0.2775, 5e-5);
    EXPECT_TRUE(fails(share_difference({.events = 3, .exposure = 2}, {.events = 0, .exposure = 2}, 0.95),
                      ErrorCode::kInvalidArgument, "not a share"));
}

TEST(QuantileInterval, NeedsTheTabledNumberOfValues) {
    EXPECT_EQ(values_for_upper_bound(0.95, 0.95), 59U);
    EXPECT_EQ(values_for_upper_bound(0.99, 0.95), 299U);
    EXPECT_EQ(values_for_upper_bound(0.999, 0.95), 2995U);
    EXPECT_EQ(upper_bound_rank(58, 0.95, 0.95), 0U);
    EXPECT_EQ(upper_bound_rank(59, 0.95, 0.95), 59U);
    std::vector<double> values(368, 1.0);
    EXPECT_TRUE(quantile_interval(values, 0.99, 0.95)->has_value());
    values.resize(300);
    EXPECT_FALSE(quantile_interval(values, 0.99, 0.95)->has_value());
    EXPECT_TRUE(fails(quantile_interval(values, 1.5, 0.95), ErrorCode::kInvalidArgument));
}

TEST(QuantileInterval, CoversTheQuantileAtLeastAsOftenAsItSays) {
    Random random(3);
    int covered = 0;
    for (int run = 0; run < 1000; ++run) {
        std::vector<double> values(200);
        for (double& v : values)
            v = random.exponential();
        const auto interval = **quantile_interval(values, 0.9, 0.95);
        const double truth = -std::log(0.1);
        covered += interval.low <= truth && truth <= interval.high ? 1 : 0;
    }
    EXPECT_GE(covered, 935);
}

TEST(Power, PlansAreThoseOfTheReport) {
    // two-sided 5 %, power 80 %: one-sided alpha 0.025
    const PowerGoal goal{.alpha = 0.025, .power = 0.8};
    EXPECT_EQ(values_for_means(0.3, 0.1, goal), 142U);  // 141.3
    EXPECT_NEAR(static_cast<double>(requests_for_shares(0.001, 0.002, goal)), 23'500, 100);
    EXPECT_NEAR(static_cast<double>(requests_for_shares(0.01, 0.015, goal)), 7'750, 100);
    EXPECT_EQ(pairs_for_mean(0.3, 0.0, goal), std::numeric_limits<std::uint64_t>::max());
    const double error = 0.3 / std::sqrt(71.0);
    EXPECT_NEAR(power_of_mean(0.1, error, 0.025), 0.80, 0.01);
}

RC_GTEST_PROP(Power, MoreDataMoreEffectAndLooserAlphaNeverLosePower, (std::uint64_t seed)) {
    Random random(seed);
    const double delta = random.uniform();
    const double error = random.uniform() + 0.01;
    const double alpha = 0.001 + random.uniform() * 0.2;
    RC_ASSERT(power_of_mean(delta, error, alpha) <= power_of_mean(delta * 1.1, error, alpha));
    RC_ASSERT(power_of_mean(delta, error, alpha) <= power_of_mean(delta, error * 0.9, alpha));
    RC_ASSERT(power_of_mean(delta, error, alpha) <= power_of_mean(delta, error, alpha * 1.1));
}

}  // namespace
}  // namespace penumbra::analysis::statistics
