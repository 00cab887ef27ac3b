#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::capacity {

/// Throughput that was measured, or observed in production, at a size (instances, vCPUs, load generators; not zero).
struct ScalePoint {
    double size = 0;
    double throughput = 0;
};

/// Gunther's Universal Scalability Law: X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)). Value type.
struct ScalingLaw {
    double lambda = 0;  ///< throughput of one, a size of 1
    double sigma = 0;   ///< contention: the part that queues for one thing
    double kappa = 0;   ///< coherency: the cost of agreeing, pair by pair
    [[nodiscard]] double at(double size) const noexcept;
    /// Size with the most throughput, sqrt((1 - sigma) / kappa); nullopt when more never hurts.
    [[nodiscard]] std::optional<double> peak() const noexcept;
};

/// Least squares on throughput by Levenberg and Marquardt's steps from the linear form N / X, sigma and kappa kept >=
/// 0; with two sizes kappa is 0. O(points) a step. Errors: kInvalidArgument for fewer than 2 sizes, or a value not
/// above 0.
[[nodiscard]] Result<ScalingLaw> fit_scaling_law(std::span<const ScalePoint> points);

struct ScaleQuestion {
    std::span<const ScalePoint> points;   ///< measured on shadows
    std::optional<ScalePoint> anchor;     ///< production as it was observed, at saturation or close to it
    double size = 0;                      ///< that is asked for
    std::span<const double> past_errors;  ///< relative errors of earlier predictions: |real / predicted - 1|
    double confidence = 0.9;
    std::uint64_t seed = 0x5ca1e;
};

struct ScaleAnswer {
    ScalingLaw law;
    double throughput = 0;
    model::Interval interval;
    std::string explanation;  ///< what the interval rests on, in one sentence
};

/// Throughput at another size. The interval is the wider of a residual bootstrap (which alone is too narrow) and the
/// split-conformal one from the hindcasts, where there are enough of them. An anchor is fitted with the points. Errors:
/// as fit_scaling_law; kUnsupported for a size over limits::kScaleBeyondMax times the largest point without an anchor
/// within a factor of 2 of it: that would be a guess.
[[nodiscard]] Result<ScaleAnswer> predict_throughput(const ScaleQuestion& question);

}  // namespace penumbra::analysis::capacity
