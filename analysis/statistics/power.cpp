#include "analysis/statistics/power.hpp"

#include <cmath>
#include <limits>

#include "analysis/statistics/normal.hpp"

namespace penumbra::analysis::statistics {

namespace {

/// Rounds up; what cannot be reached (no effect to see) is the largest number.
std::uint64_t whole(double n) noexcept {
    constexpr double kTop = 1e18;
    if (!(n < kTop)) return std::numeric_limits<std::uint64_t>::max();
    return n <= 1 ? 1 : static_cast<std::uint64_t>(std::ceil(n));
}

double squared_z(const PowerGoal& goal) noexcept {
    const double z = normal_quantile(1 - goal.alpha) + normal_quantile(goal.power);
    return z * z;
}

}  // namespace

double power_of_mean(double delta, double error, double alpha) noexcept {
    if (error <= 0) return delta > 0 ? 1 : alpha;
    return normal_cdf(delta / error - normal_quantile(1 - alpha));
}

std::uint64_t values_for_means(double sd, double delta, const PowerGoal& goal) noexcept {
    return whole(2 * squared_z(goal) * sd * sd / (delta * delta));
}

std::uint64_t pairs_for_mean(double sd, double delta, const PowerGoal& goal) noexcept {
    return whole(squared_z(goal) * sd * sd / (delta * delta));
}

std::uint64_t requests_for_shares(double p1, double p2, const PowerGoal& goal) noexcept {
    return whole(squared_z(goal) * (p1 * (1 - p1) + p2 * (1 - p2)) / ((p1 - p2) * (p1 - p2)));
}

std::uint64_t values_for_quantile(double q, double density, double delta, const PowerGoal& goal) noexcept {
    return whole(2 * squared_z(goal) * q * (1 - q) / (density * density * delta * delta));
}

}  // namespace penumbra::analysis::statistics
