#pragma once

#include <span>

#include "analysis/statistics/rank_test.hpp"
#include "base/limits/analysis.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::statistics {

/// Wilcoxon's signed-rank test of paired differences, with the Walsh-average interval (Hollander, Wolfe, Chicken,
/// Nonparametric Statistical Methods 3.1-3.3). Zero differences are dropped from p and kept in estimate and interval.
/// Exact below 50 without ties, else normal with tie and continuity correction; domain: a symmetric distribution.
/// O(n^2 log n). Errors: kInvalidArgument for none or non-finite, kResourceExhausted above limits::kPairsMax averages.
[[nodiscard]] Result<RankTest> wilcoxon_signed_rank(std::span<const double> differences,
                                                    const RankTestOptions& options = {});

}  // namespace penumbra::analysis::statistics
