#include "analysis/capacity/hindcast.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

/// Predictions that are off by 5 % or so, of a production that does `drift` times what its shadow says.
Hindcast day(Random& random, double drift) {
    return {.predicted = 100, .measured = 100 * drift * (1 + 0.05 * random.normal())};
}

TEST(Hindcast, TheRadiusIsTheRankThatConformalPredictionNames) {
    std::vector<double> errors;
    for (int i = 1; i <= 8; ++i)
        errors.push_back(-0.01 * i);
    EXPECT_EQ(hindcast_radius(errors, 0.9), std::nullopt) << "the 9th of 8";
    errors.push_back(0.5);
    EXPECT_EQ(hindcast_radius(errors, 0.9), 0.5);
    for (int i = 0; i < 10; ++i)
        errors.push_back(0.001);
    EXPECT_EQ(hindcast_radius(errors, 0.9), 0.08) << "the 18th of 19";
}

TEST(Hindcast, CoversAsOftenAsItSays) {
    double covered = 0;
    double judged = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Random random(seed);
        auto ledger = *HindcastLedger::of({}, 0.9);
        EXPECT_EQ(ledger.needed(), 9U);
        for (std::size_t i = 0; i < 150; ++i) {
            EXPECT_EQ(ledger.radius().has_value(), i >= ledger.needed());
            ASSERT_TRUE(is_ok(ledger.add(day(random, 1))));
        }
        covered += static_cast<double>(ledger.covered());
        judged += static_cast<double>(ledger.judged());
    }
    EXPECT_NEAR(covered / judged, 0.9, 0.015);
}

TEST(Hindcast, ADriftOfDemandAlarmsWithinFiveDays) {
    // test 24 of the research: 30 days as foretold, then production needs 30 % more for the same
    int latest = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        auto ledger = *HindcastLedger::of({}, 0.9);
        for (int i = 0; i < 30; ++i)
            ASSERT_TRUE(is_ok(ledger.add(day(random, 1))));
        if (ledger.undercovers()) continue;
        int days = 0;
        while (!ledger.undercovers() && days < 20) {
            ASSERT_TRUE(is_ok(ledger.add(day(random, 1 / 1.3))));
            ++days;
        }
        latest = std::max(latest, days);
    }
    EXPECT_LE(latest, 5);
}

TEST(Hindcast, AlarmsWithoutCauseAreRare) {
    int alarms = 0;
    int days = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Random random(seed);
        auto ledger = *HindcastLedger::of({}, 0.9);
        for (int i = 0; i < 365; ++i) {
            const bool before = ledger.undercovers();
            ASSERT_TRUE(is_ok(ledger.add(day(random, 1))));
            alarms += !before && ledger.undercovers() ? 1 : 0;
            ++days;
        }
    }
    // less than once in 1,000 hindcasts
    EXPECT_LE(alarms, days / 1000);
}

TEST(Hindcast, ASlowLossOfCoverageAlarmsToo) {
    Random random(3);
    auto ledger = *HindcastLedger::of({}, 0.9);
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(is_ok(ledger.add(day(random, 1))));
    ASSERT_FALSE(ledger.undercovers());
    // every third one misses: half of them would not be needed
    int later = 0;
    for (; later < 90 && !ledger.undercovers(); ++later) {
        const double measured = later % 3 == 0 ? 300 : 100;
        ASSERT_TRUE(is_ok(ledger.add({.predicted = 100, .measured = measured})));
    }
    EXPECT_TRUE(ledger.undercovers());
    EXPECT_LE(later, 60);
}

TEST(Hindcast, AnAlarmIsARefusalUntilPredictionsHoldAgain) {
    std::vector<Hindcast> past(20, {.predicted = 100, .measured = 98});
    ASSERT_TRUE(is_ok(trusted_ledger(past, 0.9)));
    for (int i = 0; i < 6; ++i)
        past.push_back({.predicted = 100, .measured = 70 - 2.0 * i});
    EXPECT_TRUE(fails(trusted_ledger(past, 0.9), ErrorCode::kUnsupported, "11 of 17 lay within"));
    std::size_t back = 0;
    while (!trusted_ledger(past, 0.9) && back < 60) {
        past.push_back({.predicted = 100, .measured = 98});
        ++back;
    }
    EXPECT_GT(back, 3U) << "one that holds is no proof";
    EXPECT_LT(back, 60U);
}

TEST(Hindcast, WhatHasNoMeaningIsRefused) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {0.0, -1.0, kNaN, std::numeric_limits<double>::infinity()}) {
        EXPECT_TRUE(
            fails(HindcastLedger::of(std::vector<Hindcast>{{1, bad}}, 0.9), ErrorCode::kInvalidArgument, "above 0"));
        EXPECT_TRUE(
            fails(HindcastLedger::of(std::vector<Hindcast>{{bad, 1}}, 0.9), ErrorCode::kInvalidArgument, "above 0"));
        EXPECT_TRUE(fails(HindcastLedger::of({}, bad), ErrorCode::kInvalidArgument, "confidence"));
    }
    // one that is refused changes nothing; many are forgotten but counted
    auto ledger = *HindcastLedger::of(std::vector<Hindcast>(500, {.predicted = 10, .measured = 11}), 0.9);
    EXPECT_FALSE(ledger.add({.predicted = 10, .measured = 0}));
    EXPECT_EQ(ledger.count(), 500U);
    EXPECT_NEAR(*ledger.radius(), 0.1, 1e-12);
}

}  // namespace
}  // namespace penumbra::analysis::capacity
