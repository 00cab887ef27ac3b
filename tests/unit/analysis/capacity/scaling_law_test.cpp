#include "analysis/capacity/scaling_law.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/random.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis::capacity {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

/// The measurements that usl4j's tests use (Gunther, Guerrilla Capacity Planning): throughput of 1 to 32 streams.
std::vector<ScalePoint> published() {
    const std::vector<double> throughput = {
        955.16, 1878.91,  2688.01,  3548.68,  4315.54,  5130.43,  5931.37,  6531.08,  7219.8,   7867.61,  8278.71,
        8646.7, 9047.84,  9426.55,  9645.37,  9897.24,  10097.6,  10240.5,  10532.39, 10798.52, 11151.43, 11518.63,
        11806,  12089.37, 12075.41, 12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4,  12074.39};
    std::vector<ScalePoint> points;
    for (std::size_t i = 0; i < throughput.size(); ++i)
        points.push_back({.size = static_cast<double>(i + 1), .throughput = throughput[i]});
    return points;
}

TEST(ScalingLaw, AgreesWithThePublishedFit) {
    const auto law = fit_scaling_law(published());
    ASSERT_TRUE(is_ok(law));
    EXPECT_NEAR(law->sigma, 0.02671591, 1e-6);
    EXPECT_NEAR(law->kappa, 7.690945e-4, 1e-8);
    EXPECT_NEAR(law->lambda, 995.6486, 1e-2);
    EXPECT_NEAR(*law->peak(), 35, 1);
    EXPECT_NEAR(law->at(*law->peak()), 12341, 2);
}

TEST(ScalingLaw, FindsTheLawThatMadeThePoints) {
    const ScalingLaw truth{.lambda = 120, .sigma = 0.05, .kappa = 0.002};
    std::vector<ScalePoint> points;
    for (const double size : {1, 2, 4, 8})
        points.push_back({.size = size, .throughput = truth.at(size)});
    const auto law = fit_scaling_law(points);
    EXPECT_NEAR(law->lambda, 120, 1e-6);
    EXPECT_NEAR(law->sigma, 0.05, 1e-8);
    EXPECT_NEAR(law->kappa, 0.002, 1e-8);
}

TEST(ScalingLaw, WillNotGuessFarBeyondWhatWasMeasured) {
    const auto all = published();
    const auto few = std::span(all).first(4);
    EXPECT_TRUE(fails(predict_throughput({.points = few, .size = 32}), ErrorCode::kUnsupported, "4 times"));
    const auto anchored = predict_throughput({.points = few, .anchor = all[29], .size = 32});
    ASSERT_TRUE(is_ok(anchored));
    EXPECT_NEAR(anchored->throughput / all[31].throughput, 1, 0.1);
    EXPECT_TRUE(fails(predict_throughput({.points = few.first(1), .size = 2}), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(fit_scaling_law(std::vector<ScalePoint>{{1, 0}, {2, 1}}), ErrorCode::kInvalidArgument));
}

TEST(ScalingLaw, HindcastsWidenWhatResidualsCannotSee) {
    const auto all = published();
    const std::vector<double> errors(19, 0.25);
    const auto bare = predict_throughput({.points = std::span(all).first(16), .size = 32});
    const auto wide = predict_throughput({.points = std::span(all).first(16), .size = 32, .past_errors = errors});
    ASSERT_TRUE(is_ok(wide));
    EXPECT_GT(wide->interval.high - wide->interval.low, bare->interval.high - bare->interval.low);
    EXPECT_LE(wide->interval.low, all[31].throughput);
    EXPECT_GE(wide->interval.high, all[31].throughput);
}

TEST(ScalingLaw, SimulatedServersLieInTheIntervalAsOftenAsItSays) {
    int covered = 0;
    int near = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Random random(seed);
        const ScalingLaw truth{.lambda = 100, .sigma = 0.1 * random.uniform(), .kappa = 0.002 * random.uniform()};
        std::vector<ScalePoint> points;
        for (const double size : {1, 2, 3, 4}) {
            for (int repeat = 0; repeat < 3; ++repeat)
                points.push_back({.size = size, .throughput = truth.at(size) * (1 + 0.01 * random.normal())});
        }
        const auto answer = predict_throughput({.points = points, .size = 8});
        ASSERT_TRUE(is_ok(answer));
        covered += answer->interval.low <= truth.at(8) && truth.at(8) <= answer->interval.high ? 1 : 0;
        near += std::abs(answer->throughput / truth.at(8) - 1) <= 0.15 ? 1 : 0;
    }
    EXPECT_GE(covered, 85);
    EXPECT_GE(near, 90);
}

}  // namespace
}  // namespace penumbra::analysis::capacity
