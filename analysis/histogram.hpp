#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/limits/analysis.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis {

/// Log-linear histogram of whole numbers (microseconds, bytes) with 3 significant digits: the layout of HdrHistogram
/// (G. Tene) with 2048 sub-buckets, so each recorded value is off by at most 1/2048 of itself.
/// Value type, not shared between threads. Grows to the highest value seen; at most 8 * 23 KiB at kHistogramValueMax.
class Histogram {
 public:
    /// Counts `count` occurrences of `value`. Above limits::kHistogramValueMax it is counted there, and in clamped().
    void record(std::uint64_t value, std::uint64_t count = 1);

    /// Free of coordinated omission: a response that took longer than `expected_interval` also stands for the requests
    /// a closed-loop client did not send meanwhile: value - interval, value - 2 interval, ... (Tene). 0 records
    /// plainly.
    void record_corrected(std::uint64_t value, std::uint64_t expected_interval);

    /// Adds every count of `other`; associative and commutative, exact.
    void merge(const Histogram& other);

    [[nodiscard]] std::uint64_t count() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t clamped() const noexcept { return clamped_; }
    /// Lowest and highest value recorded, exact; 0 when empty.
    [[nodiscard]] std::uint64_t min() const noexcept { return total_ == 0 ? 0 : min_; }
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
    /// Mean of the values by bucket midpoints; relative error <= 1/2048. 0 when empty.
    [[nodiscard]] double mean() const;
    /// Smallest bucket top with at least ceil(q * count) values at or below it; q clipped to [0, 1]; 0 when empty.
    [[nodiscard]] std::uint64_t quantile(double q) const;

    /// Non-empty buckets in rising order, each by its midpoint, as KPI windows carry them.
    [[nodiscard]] std::vector<model::HistogramBucket> buckets() const;
    /// Adds buckets of a KPI window. Errors: kInvalidArgument when the counts overflow 64 bits.
    [[nodiscard]] Result<void> add(std::span<const model::HistogramBucket> buckets);

    friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t total_ = 0;
    std::uint64_t clamped_ = 0;
    std::uint64_t min_ = UINT64_MAX;
    std::uint64_t max_ = 0;
};

}  // namespace penumbra::analysis
