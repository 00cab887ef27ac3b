#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

/// Two-sided interval of the q-quantile from order statistics l < u with BinCDF(u-1; n, q) - BinCDF(l-1; n, q) >=
/// confidence (David and Nagaraja, Order Statistics 7.1); any distribution. nullopt: too few values (p99 needs 368).
/// O(n log n). Errors: kInvalidArgument for non-finite values or q, confidence outside (0, 1).
[[nodiscard]] Result<std::optional<model::Interval>> quantile_interval(std::span<const double> values, double q,
                                                                       double confidence);

/// Values that a finite one-sided upper bound of the q-quantile needs: ln(1 - confidence) / ln q; 59 for p95 at 95 %.
[[nodiscard]] std::uint64_t values_for_upper_bound(double q, double confidence) noexcept;

/// Rank (1-based) of the order statistic that bounds the q-quantile of n values from above with `confidence`,
/// one-sided; 0 when no value does.
[[nodiscard]] std::uint64_t upper_bound_rank(std::uint64_t n, double q, double confidence) noexcept;

}  // namespace penumbra::analysis::statistics
