#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits/analysis.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::statistics {

/// The common door of every statistic: finite values only, between `at_least` and limits::kSampleValuesMax of them.
/// Errors: kInvalidArgument with `what`, naming the first value that is not a number.
[[nodiscard]] Result<void> check_sample(std::span<const double> values, std::size_t at_least, std::string_view what);

/// Arithmetic mean; 0 when empty. Two passes, so that a large offset costs no digits.
[[nodiscard]] double mean(std::span<const double> values) noexcept;

/// Sample variance with n - 1; 0 below two values.
[[nodiscard]] double variance(std::span<const double> values) noexcept;

/// Median, mean of the two middle ones; 0 when empty. O(n), takes a copy.
[[nodiscard]] double median(std::vector<double> values) noexcept;

/// Quantile by linear interpolation between order statistics (Hyndman and Fan's type 7) of a sorted, non-empty sample.
[[nodiscard]] double quantile_sorted(std::span<const double> sorted, double q) noexcept;

/// Mid-ranks (1-based, ties share their average), and sum over tie groups of t^3 - t. O(n log n).
struct Ranks {
    std::vector<double> ranks;
    double tie_cubes = 0;
};
[[nodiscard]] Ranks mid_ranks(std::span<const double> values);

}  // namespace penumbra::analysis::statistics
