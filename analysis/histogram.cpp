#include "analysis/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/limits/analysis.hpp"

// Bucket 0 is linear: 2048 cells of width 1. Every further bucket doubles the width and adds 1024 cells, because its
// lower half is what the bucket before it covers. A cell's index is therefore (bucket + 1) * 1024 + (value >> bucket) -
// 1024.

namespace penumbra::analysis {

namespace {

constexpr unsigned kHalfBits = 10;
constexpr std::uint64_t kHalf = 1U << kHalfBits;

struct Cell {
    std::uint64_t lowest = 0;
    std::uint64_t width = 1;
    [[nodiscard]] std::uint64_t highest() const noexcept { return lowest + width - 1; }
    [[nodiscard]] std::uint64_t middle() const noexcept { return lowest + width / 2; }
};

std::size_t index_of(std::uint64_t value) noexcept {
    const unsigned bits = static_cast<unsigned>(std::bit_width(value | (2 * kHalf - 1)));
    const unsigned bucket = bits - (kHalfBits + 1);
    return static_cast<std::size_t>(bucket * kHalf + (value >> bucket));
}

Cell cell_at(std::size_t index) noexcept {
    if (index < 2 * kHalf) return {.lowest = index, .width = 1};
    const std::size_t bucket = index / kHalf - 1;
    return {.lowest = (index - bucket * kHalf) << bucket, .width = std::uint64_t{1} << bucket};
}

}  // namespace

void Histogram::record(std::uint64_t value, std::uint64_t count) {
    if (count == 0) return;
    if (value > limits::kHistogramValueMax) {
        value = limits::kHistogramValueMax;
        clamped_ += count;
    }
    const std::size_t index = index_of(value);
    if (index >= counts_.size()) counts_.resize(index + 1);
    counts_[index] += count;
    total_ += count;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
}

void Histogram::record_corrected(std::uint64_t value, std::uint64_t expected_interval) {
    record(value);
    if (expected_interval == 0) return;
    std::uint64_t missed = std::min(value, limits::kHistogramValueMax);
    while (missed >= 2 * expected_interval) {
        missed -= expected_interval;
        record(missed);
    }
}

void Histogram::merge(const Histogram& other) {
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i)
        counts_[i] += other.counts_[i];
    total_ += other.total_;
    clamped_ += other.clamped_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
    if (total_ == 0) return 0;
    double sum = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (counts_[i] != 0) sum += static_cast<double>(cell_at(i).middle()) * static_cast<double>(counts_[i]);
    }
    return sum / static_cast<double>(total_);
}

std::uint64_t Histogram::quantile(double q) const {
    if (total_ == 0) return 0;
    const double clipped = std::isnan(q) ? 1.0 : std::clamp(q, 0.0, 1.0);
    const auto rank = static_cast<std::uint64_t>(std::ceil(clipped * static_cast<double>(total_)));
    const std::uint64_t wanted = std::clamp<std::uint64_t>(rank, 1, total_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted) return std::min(cell_at(i).highest(), max_);
    }
    return max_;
}

std::vector<model::HistogramBucket> Histogram::buckets() const {
    std::vector<model::HistogramBucket> result;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (counts_[i] != 0) result.push_back({.value_us = cell_at(i).middle(), .count = counts_[i]});
    }
    return result;
}

Result<void> Histogram::add(std::span<const model::HistogramBucket> buckets) {
    std::uint64_t room = UINT64_MAX - total_;
    for (const auto& bucket : buckets) {
        if (bucket.count > room) {
            return fail(ErrorCode::kInvalidArgument, "a KPI window's histogram counts more than 64 bits hold");
        }
        room -= bucket.count;
    }
    for (const auto& bucket : buckets)
        record(bucket.value_us, bucket.count);
    return {};
}

}  // namespace penumbra::analysis
