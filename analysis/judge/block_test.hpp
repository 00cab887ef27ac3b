#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/limits/analysis.hpp"
#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::judge {

/// How long values hang together.
struct Wandering {
    /// Values in a block such that blocks are nearly independent: the first lag whose autocorrelation lies below 0.2,
    /// twice the autocorrelation time when there are values enough to measure it, and at least 3; longer above
    /// limits::kBlocksMax blocks.
    std::size_t block_length = 0;
    double time = 1;  ///< integrated autocorrelation time, weighted by length; 1 when too short to say
};

/// `before` and `after` are looked at apart, so that the effect itself does not count as correlation.
[[nodiscard]] Wandering wandering_of(std::span<const double> before, std::span<const double> after);

/// What the paired blocks say of a shift, upwards being harm.
struct BlockTest {
    double shift = 0;           ///< Hodges-Lehmann
    model::Interval interval;   ///< two-sided; its upper end is the larger of the rank bound and of the mean's t bound
    double p_harm = 1;          ///< min(1, 2 min(rank test, sign flips or permutation of the means)), one-sided
    double standard_error = 0;  ///< of the mean shift
};

/// Test of block values: against 0 (Wilcoxon), or against `before` (Mann-Whitney: difference in differences) when that
/// is not empty. Ranks are robust, means see a minority of windows far off: harm seen by either counts, a PASS needs
/// both. Errors: kInvalidArgument for fewer than 2 blocks or a value that is not finite.
[[nodiscard]] Result<BlockTest> block_test(std::span<const double> before, std::span<const double> after,
                                           double confidence);

/// The same by the means alone, Student's or Welch's bounds and flips or permutations for p: for shares, whose blocks
/// are mostly 0 when failures are rare, so that ranks see nothing. Same errors.
[[nodiscard]] Result<BlockTest> mean_test(std::span<const double> before, std::span<const double> after,
                                          double confidence);

}  // namespace penumbra::analysis::judge
