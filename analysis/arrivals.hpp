#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/limits/analysis.hpp"
#include "base/result.hpp"

namespace penumbra::analysis {

/// Open-loop load: when requests are sent does not depend on how they are answered (Schroeder et al., NSDI 2006).
struct PoissonArrivals {
    double per_second = 0;
};
/// The rate goes straight from one value to another; Poisson at each moment (thinning, Lewis and Shedler 1979).
struct RampArrivals {
    double from_per_second = 0;
    double to_per_second = 0;
};
/// `per_second` with `factor` times as many in the first `length` of each `period`.
struct BurstArrivals {
    double per_second = 0;
    double factor = 1;
    std::chrono::nanoseconds length{0};
    std::chrono::nanoseconds period{0};
};
/// Recorded instants played `speed` times as fast, again from the start while time is left.
struct TraceArrivals {
    std::vector<std::chrono::nanoseconds> at;
    double speed = 1;
};
using Arrivals = std::variant<PoissonArrivals, RampArrivals, BurstArrivals, TraceArrivals>;

/// Instants of all requests within `length`, rising, the same for a seed. O(n). Errors: kInvalidArgument for rates,
/// factors or times without meaning, kResourceExhausted above limits::kArrivalsMax.
[[nodiscard]] Result<std::vector<std::chrono::nanoseconds>> schedule(const Arrivals& arrivals,
                                                                     std::chrono::nanoseconds length,
                                                                     std::uint64_t seed);

/// What a load step says of itself, and how much of it is allowed.
struct LoadStepFacts {
    std::uint64_t planned = 0;
    std::uint64_t sent = 0;
    std::uint64_t dropped_by_client = 0;
    double send_lag_p99_us = 0;   ///< sent minus planned
    double objective_us = 0;      ///< the latency objective that the step is measured against
    double in_flight_mean = 0;    ///< N of Little's law
    double response_mean_us = 0;  ///< R
    double seconds = 0;
};

/// Why a step's figures must not be used, as a sentence: the generator lagged (> 5 % of the objective at p99), dropped,
/// sent less than 98 % of the plan, or N differs from X R by more than 2 % (Little). Empty: the step is sound.
[[nodiscard]] std::string load_step_fault(const LoadStepFacts& facts);

}  // namespace penumbra::analysis
