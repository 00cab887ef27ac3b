#include "analysis/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::fails;

TEST(Arrivals, PoissonHasItsRateAndItsSpread) {
    const auto times = *schedule(PoissonArrivals{.per_second = 200}, 100s, 1);
    EXPECT_NEAR(static_cast<double>(times.size()), 20'000, 4 * std::sqrt(20'000.0));
    EXPECT_TRUE(std::ranges::is_sorted(times));
    EXPECT_LT(times.back(), 100s);
    // gaps are exponential: 1/e of them above the mean
    int above = 0;
    for (std::size_t i = 1; i < times.size(); ++i)
        above += times[i] - times[i - 1] > 5ms ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(above) / static_cast<double>(times.size()), std::exp(-1), 0.02);
    EXPECT_EQ(times, *schedule(PoissonArrivals{.per_second = 200}, 100s, 1));
    EXPECT_NE(times, *schedule(PoissonArrivals{.per_second = 200}, 100s, 2));
}

TEST(Arrivals, ARampRises) {
    const auto times = *schedule(RampArrivals{.from_per_second = 0, .to_per_second = 200}, 100s, 3);
    const auto half = std::ranges::lower_bound(times, std::chrono::nanoseconds(50s)) - times.begin();
    EXPECT_NEAR(static_cast<double>(times.size()), 10'000, 400);
    EXPECT_NEAR(static_cast<double>(half), 2'500, 200);
}

TEST(Arrivals, ABurstIsLouderForItsLength) {
    const BurstArrivals burst{.per_second = 50, .factor = 10, .length = 1s, .period = 10s};
    const auto times = *schedule(burst, 100s, 4);
    const auto loud = std::ranges::count_if(times, [](auto at) { return at % 10s < 1s; });
    EXPECT_NEAR(static_cast<double>(loud), 5'000, 300);
    EXPECT_NEAR(static_cast<double>(times.size()) - static_cast<double>(loud), 4'500, 300);
}

TEST(Arrivals, ATraceIsPlayedAtItsSpeedAndAgain) {
    const TraceArrivals trace{.at = {0s, 1s, 2s, 3s}, .speed = 2};
    const auto times = *schedule(trace, 2500ms, 0);
    const std::vector<std::chrono::nanoseconds> wanted = {0ms, 500ms, 1000ms, 1500ms, 1875ms, 2375ms};
    EXPECT_EQ(times, wanted);
}

TEST(Arrivals, WhatHasNoMeaningIsAnError) {
    EXPECT_TRUE(fails(schedule(PoissonArrivals{.per_second = NAN}, 1s, 0), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(schedule(PoissonArrivals{.per_second = 1}, 0s, 0), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(schedule(PoissonArrivals{.per_second = 1e9}, 3600s, 0), ErrorCode::kResourceExhausted));
    EXPECT_TRUE(fails(schedule(TraceArrivals{}, 1s, 0), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(schedule(BurstArrivals{.per_second = 1, .factor = 0.5}, 1s, 0), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(schedule(PoissonArrivals{}, 1s, 0)->empty());
}

TEST(LoadStep, AGeneratorThatLagsDropsOrContradictsLittleIsNamed) {
    const LoadStepFacts sound{.planned = 1000,
                              .sent = 1000,
                              .send_lag_p99_us = 100,
                              .objective_us = 50'000,
                              .in_flight_mean = 2.01,
                              .response_mean_us = 20'000,
                              .seconds = 10};
    EXPECT_EQ(load_step_fault(sound), "");
    auto facts = sound;
    facts.dropped_by_client = 1;
    EXPECT_NE(load_step_fault(facts).find("dropped 1"), std::string::npos);
    facts = sound;
    facts.send_lag_p99_us = 3000;
    EXPECT_NE(load_step_fault(facts).find("lagged 3000 us"), std::string::npos);
    facts = sound;
    facts.sent = 900;
    EXPECT_NE(load_step_fault(facts).find("900 of 1000"), std::string::npos);
    facts = sound;
    facts.in_flight_mean = 3;
    EXPECT_NE(load_step_fault(facts).find("Little"), std::string::npos);
}

}  // namespace
}  // namespace penumbra::analysis
