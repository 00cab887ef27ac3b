#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "analysis/random.hpp"
#include "analysis/statistics/autocorrelation.hpp"
#include "analysis/statistics/holm.hpp"
#include "analysis/statistics/sample.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/golden_numbers.hpp"

namespace penumbra::analysis::statistics {
namespace {

using analysis::testing::expect_close;
using analysis::testing::GoldenNumbers;
using penumbra::testing::fails;

std::vector<double> autoregressive(Random& random, std::size_t n, double rho) {
    std::vector<double> values(n);
    double state = random.normal();
    for (double& v : values) {
        v = state;
        state = rho * state + std::sqrt(1 - rho * rho) * random.normal();
    }
    return values;
}

TEST(Autocorrelation, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    const auto rho = *autocorrelation(r.at("series"), 20);
    ASSERT_EQ(rho.size(), r.at("acf").size());
    for (std::size_t lag = 0; lag < rho.size(); ++lag)
        expect_close(rho[lag], r.at("acf")[lag]);
}

TEST(Autocorrelation, IntegratedTimeIsThatOfTheProcess) {
    // AR(1): tau = (1 + rho) / (1 - rho)
    Random random(11);
    EXPECT_NEAR(*integrated_time(autoregressive(random, 100'000, 0.0)), 1.0, 0.1);
    EXPECT_NEAR(*integrated_time(autoregressive(random, 100'000, 0.5)), 3.0, 0.3);
    EXPECT_NEAR(*integrated_time(autoregressive(random, 100'000, 0.8)), 9.0, 1.0);
    EXPECT_NEAR(static_cast<double>(*first_lag_below(autoregressive(random, 100'000, 0.8), 0.2)), 8, 1);
}

TEST(Autocorrelation, AConstantSeriesIsOneValueWorthItself) {
    const std::vector<double> constant(50, 3.0);
    EXPECT_EQ(*integrated_time(constant), 1);
    EXPECT_EQ(*first_lag_below(constant, 0.2), 1U);
    EXPECT_TRUE(fails(integrated_time(std::vector<double>{1}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(autocorrelation(std::vector<double>{1, NAN}, 1), ErrorCode::kInvalidArgument, "nan"));
}

TEST(Holm, AgreesWithR) {
    const GoldenNumbers r("statistics.txt");
    const auto adjusted = holm(r.at("holm_in"));
    for (std::size_t i = 0; i < adjusted.size(); ++i)
        expect_close(adjusted[i], r.at("holm_out")[i]);
    EXPECT_TRUE(holm({}).empty());
    EXPECT_EQ(holm(std::vector<double>{NAN})[0], 1);
}

RC_GTEST_PROP(Holm, NeverMakesAValueSmallerAndKeepsTheOrder, (const std::vector<unsigned>& raw)) {
    std::vector<double> p;
    for (const unsigned v : raw)
        p.push_back(static_cast<double>(v % 1000) / 1000);
    const auto adjusted = holm(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
        RC_ASSERT(adjusted[i] >= p[i]);
        for (std::size_t j = 0; j < p.size(); ++j)
            RC_ASSERT(!(p[i] < p[j]) || adjusted[i] <= adjusted[j]);
    }
}

TEST(Sample, QuantilesAreThoseOfRsType7) {
    const GoldenNumbers r("statistics.txt");
    auto sorted = r.at("x");
    std::ranges::sort(sorted);
    const std::vector<double> at = {0, 0.1, 0.5, 0.95, 1};
    for (std::size_t i = 0; i < at.size(); ++i)
        expect_close(quantile_sorted(sorted, at[i]), r.at("type7")[i]);
}

TEST(Sample, ALargeOffsetCostsNoDigits) {
    const std::vector<double> values = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    EXPECT_DOUBLE_EQ(mean(values), 1e9 + 10);
    EXPECT_DOUBLE_EQ(variance(values), 30);
    EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
    EXPECT_DOUBLE_EQ(median({4, 1, 2, 3}), 2.5);
}

}  // namespace
}  // namespace penumbra::analysis::statistics
