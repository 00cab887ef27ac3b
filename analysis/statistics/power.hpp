#pragma once

#include <cstdint>

namespace penumbra::analysis::statistics {

/// One-sided error rates of a plan: alpha of a false alarm, and the power to see the effect.
struct PowerGoal {
    double alpha = 0.05;
    double power = 0.8;
};

/// Power of a one-sided z-test for a mean shift `delta` with standard error `error`: Phi(delta / error - z_{1-alpha}).
[[nodiscard]] double power_of_mean(double delta, double error, double alpha) noexcept;

/// Independent values an arm for a shift `delta` between two means of deviation `sd`: 2 (z_a + z_b)^2 sd^2 / delta^2.
[[nodiscard]] std::uint64_t values_for_means(double sd, double delta, const PowerGoal& goal) noexcept;

/// Independent pairs for a mean difference `delta` of deviation `sd`: (z_a + z_b)^2 sd^2 / delta^2.
[[nodiscard]] std::uint64_t pairs_for_mean(double sd, double delta, const PowerGoal& goal) noexcept;

/// Requests an arm that tell the shares p1 and p2 apart: (z_a + z_b)^2 (p1 q1 + p2 q2) / (p1 - p2)^2.
[[nodiscard]] std::uint64_t requests_for_shares(double p1, double p2, const PowerGoal& goal) noexcept;

/// Values an arm for a shift `delta` of the q-quantile where the density is `density`: 2 z^2 q (1-q) / (f^2 delta^2).
[[nodiscard]] std::uint64_t values_for_quantile(double q, double density, double delta, const PowerGoal& goal) noexcept;

}  // namespace penumbra::analysis::statistics
