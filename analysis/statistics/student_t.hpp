#pragma once

namespace penumbra::analysis::statistics {

/// t with P(T <= t) = p for Student's distribution of `degrees` > 0 (need not be whole), by the beta identity
/// (Abramowitz and Stegun 26.7.1); relative error 1e-10 for p in [1e-9, 1 - 1e-9].
[[nodiscard]] double student_t_quantile(double p, double degrees) noexcept;

}  // namespace penumbra::analysis::statistics
