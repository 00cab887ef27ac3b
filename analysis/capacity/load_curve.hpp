#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/capacity/scaling_law.hpp"
#include "analysis/capacity/staircase.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::capacity {

/// One measurement under load, as load generators write them: a line a step, or a line every so often.
struct LoadRow {
    double offered_per_second = 0;
    double throughput_per_second = 0;
    double latency_ms = 0;  ///< mean or quantile, the same for all rows
};

/// The rows of one offered rate. A bound of the median latency is the extreme row where there are too few of them.
struct CurveStep {
    double offered_per_second = 0;
    double throughput_per_second = 0;  ///< median
    double latency_ms = 0;             ///< median
    double latency_low_ms = 0;
    double latency_high_ms = 0;
    std::size_t rows = 0;
    StepOutcome outcome = StepOutcome::kHeld;
};

/// An open queue with one bottleneck: R(x) = service / (1 - x / limit). Value type.
struct QueueFit {
    double service_ms = 0;
    double limit_per_second = 0;  ///< where the latency has no end; +inf when it does not rise
    double error = 0;             ///< root mean square of the relative residuals
};

struct LoadCurve {
    std::vector<CurveStep> steps;               ///< by rising rate
    std::optional<double> capacity_per_second;  ///< highest rate up to which every step held; none: not even the lowest
    double saturation_per_second = 0;           ///< most that was answered
    double knee_per_second = 0;                 ///< offered rate of the most power, throughput over latency
    std::optional<ScalingLaw> in_flight;        ///< throughput over requests in flight, which are throughput x latency
    std::optional<QueueFit> queue;              ///< of the steps that kept up
    std::string reason;                         ///< one sentence: what the capacity rests on
};

struct CurveRules {
    double latency_max_ms = 0;         ///< what must hold; 0: only that what is offered is answered
    double answered_share_min = 0.95;  ///< of what was offered
    double confidence = 0.95;          ///< of the bounds of a step's median latency
};

/// Reads a load curve: a step holds when at least the share is answered and the upper bound of its median latency keeps
/// the maximum, it is broken when either surely does not, else unclear. The knee is Kleinrock's (power, ICC 1979);
/// requests in flight follow from Little's law and are what the scaling law is fitted over (Gunther). Both fits need
/// three steps. O(n log n). Errors: kInvalidArgument for no row, values that are not above 0 (throughput may be 0) or
/// rules without meaning.
[[nodiscard]] Result<LoadCurve> measure_curve(std::span<const LoadRow> rows, const CurveRules& rules);

}  // namespace penumbra::analysis::capacity
