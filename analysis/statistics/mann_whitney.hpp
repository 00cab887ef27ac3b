#pragma once

#include <span>

#include "analysis/statistics/rank_test.hpp"
#include "base/limits/analysis.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::statistics {

/// Mann and Whitney's test (Ann. Math. Stat. 18, 1947) of x shifted against y; shift > 0 means x is larger.
/// Exact when both have < 50 values and no ties, else normal with tie and continuity correction; the interval is of
/// order statistics of the pairwise differences (Hollander, Wolfe, Chicken 4.3). O(mn log mn).
/// Errors: kInvalidArgument for an empty or non-finite sample, kResourceExhausted above limits::kPairsMax pairs.
[[nodiscard]] Result<RankTest> mann_whitney(std::span<const double> x, std::span<const double> y,
                                            const RankTestOptions& options = {});

}  // namespace penumbra::analysis::statistics
