#include "analysis/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "analysis/random.hpp"
#include "base/limits/analysis.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis {
namespace {

std::vector<std::uint64_t> some_values() {
    // spread over all magnitudes, not only over the largest
    return *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
        rc::gen::map(rc::gen::pair(rc::gen::inRange<unsigned>(0, 32), rc::gen::arbitrary<std::uint64_t>()),
                     [](const auto& p) { return (p.second >> 32) >> p.first; })));
}

Histogram of(const std::vector<std::uint64_t>& values) {
    Histogram histogram;
    for (const auto v : values)
        histogram.record(v);
    return histogram;
}

RC_GTEST_PROP(Histogram, QuantilesAreOffByAtMostOnePartIn2048, ()) {
    auto values = some_values();
    for (auto& v : values)
        v = std::min(v, limits::kHistogramValueMax);
    const Histogram histogram = of(values);
    std::ranges::sort(values);
    for (const double q : {0.0, 0.25, 0.5, 0.95, 0.99, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
        const std::uint64_t exact = values[std::max<std::size_t>(rank, 1) - 1];
        const std::uint64_t got = histogram.quantile(q);
        RC_ASSERT(got >= exact);
        RC_ASSERT(got - exact <= exact / 1024);
    }
}

RC_GTEST_PROP(Histogram, QuantilesRise, ()) {
    const Histogram histogram = of(some_values());
    for (int percent = 1; percent <= 100; ++percent) {
        RC_ASSERT(histogram.quantile(percent / 100.0) >= histogram.quantile((percent - 1) / 100.0));
    }
}

RC_GTEST_PROP(Histogram, MergingEqualsRecordingTogether, ()) {
    const auto a = some_values();
    const auto b = some_values();
    auto both = a;
    both.insert(both.end(), b.begin(), b.end());
    Histogram ab = of(a);
    ab.merge(of(b));
    Histogram ba = of(b);
    ba.merge(of(a));
    RC_ASSERT(ab == of(both));
    RC_ASSERT(ab == ba);
}

RC_GTEST_PROP(Histogram, BucketsOfAKpiWindowComeBackTheSame, ()) {
    const Histogram histogram = of(some_values());
    Histogram back;
    RC_ASSERT(back.add(histogram.buckets()).has_value());
    RC_ASSERT(back.buckets() == histogram.buckets());
    RC_ASSERT(back.count() == histogram.count());
}

TEST(Histogram, EmptyHasZerosEverywhere) {
    const Histogram empty;
    EXPECT_EQ(empty.count(), 0U);
    EXPECT_EQ(empty.quantile(0.5), 0U);
    EXPECT_EQ(empty.mean(), 0);
    EXPECT_EQ(empty.min(), 0U);
    EXPECT_TRUE(empty.buckets().empty());
}

TEST(Histogram, ValuesBelow2048AreExact) {
    Histogram histogram;
    for (std::uint64_t v = 0; v < 2048; ++v)
        histogram.record(v);
    EXPECT_EQ(histogram.quantile(0.5), 1023U);
    EXPECT_EQ(histogram.quantile(1.0), 2047U);
    EXPECT_DOUBLE_EQ(histogram.mean(), 1023.5);
}

TEST(Histogram, AValueAboveTheTopIsCountedAtTheTopAndSaidSo) {
    Histogram histogram;
    histogram.record(limits::kHistogramValueMax + 1, 3);
    EXPECT_EQ(histogram.clamped(), 3U);
    EXPECT_EQ(histogram.max(), limits::kHistogramValueMax);
}

TEST(Histogram, AStallCountsForTheRequestsThatWereNotSent) {
    // 1000 a second answered in 1 ms, then a stall of 1 s: half of the time the service was not there
    Histogram plain;
    Histogram corrected;
    for (int i = 0; i < 1000; ++i) {
        plain.record(1000);
        corrected.record_corrected(1000, 1000);
    }
    plain.record(1'000'000);
    corrected.record_corrected(1'000'000, 1000);
    EXPECT_LT(plain.quantile(0.75), 1100U);
    EXPECT_NEAR(static_cast<double>(corrected.quantile(0.75)), 500'000, 2000);
    EXPECT_EQ(corrected.count(), 2000U);
}

TEST(Histogram, CountsThatOverflowAreAnErrorAndChangeNothing) {
    Histogram histogram;
    histogram.record(5);
    const std::vector<model::HistogramBucket> buckets = {{.value_us = 1, .count = UINT64_MAX}};
    EXPECT_TRUE(testing::fails(histogram.add(buckets), ErrorCode::kInvalidArgument, "64 bits"));
    EXPECT_EQ(histogram.count(), 1U);
}

TEST(Histogram, AMillionRandomValuesKeepTheirMean) {
    Random random(1);
    Histogram histogram;
    double sum = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        const auto v = static_cast<std::uint64_t>(random.exponential() * 50'000);
        histogram.record(v);
        sum += static_cast<double>(v);
    }
    EXPECT_NEAR(histogram.mean(), sum / 1e6, sum / 1e6 / 2048);
}

}  // namespace
}  // namespace penumbra::analysis
