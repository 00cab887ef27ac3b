#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

/// Regularised incomplete beta I_x(a, b), a, b > 0, x in [0, 1]: Lentz's continued fraction; relative error 1e-13.
[[nodiscard]] double incomplete_beta(double a, double b, double x) noexcept;

/// x with I_x(a, b) = p, by bisection on a monotone function; relative error 1e-13.
[[nodiscard]] double beta_quantile(double a, double b, double p) noexcept;

/// P(X <= k) for X ~ Binomial(n, p), by the beta identity.
[[nodiscard]] double binomial_cdf(std::uint64_t k, std::uint64_t n, double p) noexcept;

/// Clopper and Pearson's exact interval of a share after `k` of `n` (Biometrika 26, 1934); coverage never below
/// nominal. Errors: kInvalidArgument unless 0 <= k <= n, n > 0 and 0 < confidence < 1.
[[nodiscard]] Result<model::Interval> clopper_pearson(std::uint64_t k, std::uint64_t n, double confidence);

/// Lower bound of a share that holds with `confidence` when all of `n` runs succeeded: (1 - confidence)^(1/n).
[[nodiscard]] double zero_failures_bound(std::uint64_t n, double confidence) noexcept;

/// Runs without failure that certify a share of at least `share` with `confidence`: 59 for 0.95 at 95 %.
[[nodiscard]] std::uint64_t zero_failures_needed(double share, double confidence) noexcept;

}  // namespace penumbra::analysis::statistics
