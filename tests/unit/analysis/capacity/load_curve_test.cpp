#include "analysis/capacity/load_curve.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using testing::fails;
using testing::is_ok;

// A queue of 100 a second and 10 ms: 1 / (1 - x / 100), answered up to 100.
std::vector<LoadRow> queue(std::initializer_list<double> rates, int rows = 1) {
    std::vector<LoadRow> all;
    for (const double rate : rates) {
        for (int i = 0; i < rows; ++i) {
            const double ripple = 1 + 0.02 * std::sin(i * 1.7);
            all.push_back({rate, std::min(rate, 100.0), 10 / (1 - std::min(rate / 100, 0.99)) * ripple});
        }
    }
    return all;
}

TEST(LoadCurve, TheFirstStepThatDoesNotHoldEndsTheCapacity) {
    // 20: 12.5 ms, 50: 20 ms, 80: 50 ms
    const auto curve = measure_curve(queue({80, 20, 50}), {.latency_max_ms = 30});
    ASSERT_TRUE(is_ok(curve));
    EXPECT_EQ(curve->capacity_per_second, 50);
    ASSERT_EQ(curve->steps.size(), 3U);
    EXPECT_EQ(curve->steps[2].outcome, StepOutcome::kBroken);
    EXPECT_NE(curve->reason.find("at 80 a second the latency is 50 ms, above 30 ms"), std::string::npos);
    EXPECT_EQ(measure_curve(queue({80}), {.latency_max_ms = 30})->capacity_per_second, std::nullopt);
    const auto all = measure_curve(queue({20, 50}), {.latency_max_ms = 30});
    EXPECT_EQ(all->capacity_per_second, 50);
    EXPECT_NE(all->reason.find("at least"), std::string::npos);
}

TEST(LoadCurve, WhatIsNotAnsweredBreaksAStepWithoutAnyLimit) {
    const auto curve = measure_curve(queue({50, 90, 130}), {});
    ASSERT_TRUE(is_ok(curve));
    EXPECT_EQ(curve->capacity_per_second, 90);
    EXPECT_EQ(curve->saturation_per_second, 100);
    EXPECT_NE(curve->reason.find("only 100 were answered"), std::string::npos) << curve->reason;
}

TEST(LoadCurve, AStepThatScattersAcrossTheLimitIsUnclear) {
    std::vector<LoadRow> rows = queue({20, 50}, 8);
    for (std::size_t i = 0; i < 8; ++i)
        rows.push_back({80, 80, i % 2 == 0 ? 20.0 : 60.0});
    rows.push_back({85, 85, 20});  // holds, but above one that does not
    const auto curve = measure_curve(rows, {.latency_max_ms = 30});
    ASSERT_TRUE(is_ok(curve));
    EXPECT_EQ(curve->steps[2].outcome, StepOutcome::kUnclear);
    EXPECT_EQ(curve->capacity_per_second, 50);
    EXPECT_NE(curve->reason.find("8 rows do not say"), std::string::npos);
    EXPECT_EQ(curve->steps[2].latency_low_ms, 20);
    EXPECT_EQ(curve->steps[2].latency_high_ms, 60);
}

TEST(LoadCurve, FindsTheKneeAndTheQueue) {
    const auto curve = measure_curve(queue({10, 20, 30, 40, 50, 60, 70, 80, 90}), {});
    ASSERT_TRUE(is_ok(curve));
    EXPECT_EQ(curve->knee_per_second, 50);  // x (1 - x / 100) is highest at half of the limit
    ASSERT_TRUE(curve->queue.has_value());
    EXPECT_NEAR(curve->queue->limit_per_second, 100, 1e-6);
    EXPECT_NEAR(curve->queue->service_ms, 10, 1e-6);
    EXPECT_NEAR(curve->queue->error, 0, 1e-9);
    // in flight N = x R: X = 100 N / (N + 1), a law with contention 1/2 and 50 a second at one
    ASSERT_TRUE(curve->in_flight.has_value());
    EXPECT_NEAR(curve->in_flight->lambda, 50, 0.01);
    EXPECT_NEAR(curve->in_flight->sigma, 0.5, 0.001);
    EXPECT_NEAR(curve->in_flight->kappa, 0, 1e-4);
}

TEST(LoadCurve, ALatencyThatDoesNotRiseHasNoLimit) {
    const auto curve =
        measure_curve(std::vector<LoadRow>{{10, 10, 5}, {20, 20, 5}, {30, 30, 4.9}}, {.latency_max_ms = 10});
    ASSERT_TRUE(curve->queue.has_value());
    EXPECT_TRUE(std::isinf(curve->queue->limit_per_second));
    EXPECT_FALSE(measure_curve(queue({10, 20}), {})->queue.has_value());
}

TEST(LoadCurve, RefusesWhatIsNoMeasurement) {
    EXPECT_TRUE(fails(measure_curve({}, {}), ErrorCode::kInvalidArgument, "needs rows"));
    for (const LoadRow& row :
         {LoadRow{0, 1, 1}, LoadRow{1, -1, 1}, LoadRow{1, 1, 0}, LoadRow{NAN, 1, 1}, LoadRow{1, INFINITY, 1}})
        EXPECT_TRUE(fails(measure_curve(std::vector{row}, {}), ErrorCode::kInvalidArgument, "above 0"));
    const auto rows = queue({20});
    EXPECT_TRUE(fails(measure_curve(rows, {.latency_max_ms = -1}), ErrorCode::kInvalidArgument, "cannot"));
    EXPECT_TRUE(fails(measure_curve(rows, {.answered_share_min = 0}), ErrorCode::kInvalidArgument, "cannot"));
    EXPECT_TRUE(fails(measure_curve(rows, {.confidence = 1}), ErrorCode::kInvalidArgument, "cannot"));
}

}  // namespace
}  // namespace penumbra::analysis::capacity
