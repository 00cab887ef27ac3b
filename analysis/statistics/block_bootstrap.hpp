#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

struct BootstrapOptions {
    std::size_t block = 1;  ///< at least the autocorrelation time, in values
    std::size_t replicates = 2000;
    double confidence = 0.95;
    std::uint64_t seed = 0xb10c;
};

/// Statistic of a resample, given by the places of the series it consists of (same length as the series).
using ResampleStatistic = std::function<double(std::span<const std::size_t>)>;

/// Moving-block bootstrap (Kunsch, Ann. Stat. 17, 1989): blocks of consecutive places drawn with replacement;
/// percentile interval. O(replicates * cost of the statistic). Errors: kInvalidArgument for n = 0, a block of 0 or
/// above n, fewer than 20 replicates, or a statistic that is not a number.
[[nodiscard]] Result<model::Interval> block_bootstrap(std::size_t n, const ResampleStatistic& statistic,
                                                      const BootstrapOptions& options);

}  // namespace penumbra::analysis::statistics
