#include "analysis/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "analysis/histogram.hpp"
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

/// Answers in 0.1 ms each, one after the other, and stands still in the first second of each ten.
class StallingServer {
 public:
    static constexpr auto kService = 100us;

    /// When a request is answered that arrives then; they must come in order.
    std::chrono::nanoseconds answer(std::chrono::nanoseconds arrived) {
        auto at = std::max(arrived, free_at_);
        if (at % 10s < 1s) at += 1s - at % 10s;
        return free_at_ = at + kService;
    }

 private:
    std::chrono::nanoseconds free_at_{0};
};

std::uint64_t micros(std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

TEST(OpenLoop, SeesTheStallThatAClosedLoopHides) {
    // test 22 of the research: 1,000 a second for 600 s. Who comes u after a stall began waits 1 - u and the 1,000 u
    // before it at 0.1 ms each: 1 - 0.9 u, down to 0.1 s at its end; more than t > 0.1 s wait (1 - t) / 0.9 of a tenth
    // of all, so 1 % wait longer than 1 - 0.9 * 0.1 = 0.91 s.
    constexpr double kAnalyticP99 = 910'000;
    constexpr auto kLength = 600s;
    Histogram open;
    StallingServer server;
    const auto times = *schedule(PoissonArrivals{.per_second = 1000}, kLength, 22);
    for (const auto planned : times)
        open.record(micros(server.answer(planned) - planned));
    EXPECT_NEAR(static_cast<double>(open.quantile(0.99)), kAnalyticP99, 0.05 * kAnalyticP99);

    // the same load by a client that waits for each answer before it sends again
    Histogram closed;
    Histogram corrected;
    StallingServer other;
    for (std::chrono::nanoseconds sent{0}; sent < kLength;) {
        const auto answered = other.answer(sent);
        closed.record(micros(answered - sent));
        corrected.record_corrected(micros(answered - sent), 1000);
        sent = std::max(answered, sent + 1ms);
    }
    EXPECT_LT(closed.quantile(0.99), 200U) << "one of 9,000 waited: it is not in the 99 %";
    // what it did not send is added: it would have waited from 1 s down to nothing, 1 % of all more than 0.9 s
    EXPECT_NEAR(static_cast<double>(corrected.quantile(0.99)), 900'000, 0.05 * 900'000);
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
