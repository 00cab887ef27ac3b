#include "analysis/statistics/quantile_interval.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/core.h>

#include "analysis/statistics/binomial.hpp"
#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::statistics {

namespace {

/// Smallest k in [0, n] with BinCDF(k; n, q) >= p, by bisection.
std::uint64_t binomial_quantile(std::uint64_t n, double q, double p) noexcept {
    std::uint64_t low = 0;
    std::uint64_t high = n;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (binomial_cdf(middle, n, q) >= p) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

}  // namespace

Result<std::optional<model::Interval>> quantile_interval(std::span<const double> values, double q, double confidence) {
    TRY(check_sample(values, 1, "a quantile's interval"));
    if (!(q > 0 && q < 1 && confidence > 0 && confidence < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("quantile {} at confidence {}: both must lie between 0 and 1", q, confidence));
    }
    const std::uint64_t n = values.size();
    const double tail = (1 - confidence) / 2;
    // the l-th value lies at or below the quantile unless fewer than l values do
    const std::uint64_t lower = binomial_quantile(n, q, tail);
    const std::uint64_t upper = upper_bound_rank(n, q, 1 - tail);
    if (lower == 0 || upper == 0) return std::optional<model::Interval>{};
    std::vector<double> sorted(values.begin(), values.end());
    std::ranges::sort(sorted);
    return std::optional(
        model::Interval{.low = sorted[lower - 1], .high = sorted[upper - 1], .confidence = confidence});
}

std::uint64_t values_for_upper_bound(double q, double confidence) noexcept {
    return zero_failures_needed(q, confidence);
}

std::uint64_t upper_bound_rank(std::uint64_t n, double q, double confidence) noexcept {
    // P(u-th value >= quantile) = P(fewer than u values lie below it) = BinCDF(u - 1; n, q)
    const std::uint64_t k = binomial_quantile(n, q, confidence);
    return k >= n ? 0 : k + 1;
}

}  // namespace penumbra::analysis::statistics
