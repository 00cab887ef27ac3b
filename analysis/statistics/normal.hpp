#pragma once

namespace penumbra::analysis::statistics {

/// P(Z <= z) of the standard normal, by erfc; relative error below 1e-15 also in the tails.
[[nodiscard]] double normal_cdf(double z) noexcept;

/// z with P(Z <= z) = p; -inf at p <= 0, +inf at p >= 1, NaN for NaN. Wichura, AS 241 (PPND16), relative error 1e-15.
[[nodiscard]] double normal_quantile(double p) noexcept;

}  // namespace penumbra::analysis::statistics
