#include "analysis/statistics/sequential.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::statistics {
namespace {

TEST(MixtureTest, IsTheFormulaOfThePaper) {
    MixtureTest test({.null_mean = 1, .variance = 2, .tau = 0.5});
    for (const double v : {2.0, 2.5, 3.0})
        test.add(v);
    const double n = 3;
    const double t2 = 0.25;
    const double mean = 2.5;
    const double ratio =
        std::sqrt(2 / (2 + n * t2)) * std::exp(n * n * t2 * (mean - 1) * (mean - 1) / (2 * 2 * (2 + n * t2)));
    EXPECT_NEAR(test.p(), 1 / ratio, 1e-12);
}

TEST(MixtureTest, EqualsTheNormalMixtureBoundary) {
    // Lambda >= 1/alpha exactly where |S| >= boundary(v = nV, r = V^2/t^2)
    const double variance = 2;
    const double tau = 0.7;
    const double alpha = 0.05;
    const double n = 9;
    const double boundary = mixture_boundary(n * variance, variance * variance / (tau * tau), alpha);
    MixtureTest below({.variance = variance, .tau = tau});
    MixtureTest above({.variance = variance, .tau = tau});
    for (int i = 0; i < 9; ++i) {
        below.add(boundary / n * 0.999999);
        above.add(boundary / n * 1.000001);
    }
    EXPECT_GT(below.p(), alpha);
    EXPECT_LE(above.p(), alpha);
}

TEST(MixtureTest, WatchedAlwaysItRarelyCriesWolf) {
    int alarms = 0;
    for (int run = 0; run < 400; ++run) {
        Random random(static_cast<std::uint64_t>(run));
        MixtureTest test({.variance = 1, .tau = 0.3});
        for (int i = 0; i < 500; ++i)
            test.add(random.normal());
        alarms += test.p() <= 0.05 ? 1 : 0;
    }
    EXPECT_LE(alarms, 31);  // a correct 5 % fails this in 1 of 100 builds; seeded, so never here
}

TEST(MixtureTest, ANaNProvesNothing) {
    MixtureTest test({});
    test.add(NAN);
    EXPECT_EQ(test.p(), 1);
}

/// The Bayes factor that the sequence inverts, from its t statistic.
double mixture_of_t(double n, double t_squared, double spread) {
    const double r = 1 + n * spread * spread;
    return std::pow(r, -0.5) * std::pow((1 + t_squared / (n - 1)) / (1 + t_squared / ((n - 1) * r)), n / 2);
}

TEST(ConfidenceSequence, ItsEndsAreWhereTheTMixtureReachesOneOverAlpha) {
    const std::vector<double> values = {1.2, -0.4, 0.7, 2.2, 0.1, 1.9, 0.3, -0.2, 1.1, 0.6};
    for (const double spread : {0.5, 1.0, 10.0}) {
        auto sequence = *ConfidenceSequence::create({.alpha = 0.01, .spread = spread});
        for (const double v : values)
            sequence.add(v);
        const double n = static_cast<double>(values.size());
        for (const double end : {sequence.interval().low, sequence.interval().high}) {
            const double away = mean(values) - end;
            EXPECT_NEAR(mixture_of_t(n, n * away * away / variance(values), spread), 100, 1e-7) << spread;
        }
    }
}

TEST(ConfidenceSequence, CoversFromTheFirstValueOnWhateverTheVariance) {
    int left = 0;
    constexpr int kRuns = 1000;
    for (int run = 0; run < kRuns; ++run) {
        Random random(static_cast<std::uint64_t>(run) + 1000);
        auto sequence = *ConfidenceSequence::create({.alpha = 0.05, .spread = 1});
        bool outside = false;
        for (int i = 0; i < 200; ++i) {
            sequence.add(1e-3 * random.normal() + 3);
            const auto interval = sequence.interval();
            outside = outside || interval.low > 3 || interval.high < 3;
        }
        left += outside ? 1 : 0;
        EXPECT_LT(sequence.interval().high - sequence.interval().low, 0.8e-3);
    }
    EXPECT_LE(left, 66);  // 5 % and 2.3 deviations
}

TEST(ConfidenceSequence, SaysNothingBeforeTheFirstValuesAndRefusesNonsense) {
    auto sequence = *ConfidenceSequence::create({.alpha = 0.001, .spread = 1});
    for (int i = 0; i < 7; ++i)
        sequence.add(1);
    EXPECT_TRUE(std::isinf(sequence.interval().high));  // (1 + n)^(n - 1) < 10^6
    sequence.add(1);
    EXPECT_EQ(sequence.interval().high, 1);
    EXPECT_TRUE(penumbra::testing::fails(ConfidenceSequence::create({.alpha = 0.7}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(penumbra::testing::fails(ConfidenceSequence::create({.spread = 0}), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::analysis::statistics
