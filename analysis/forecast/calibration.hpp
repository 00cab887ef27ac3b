#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penumbra::analysis::forecast {

/// Turns past errors of one range of horizons into quantiles of the next one: split conformal on a ring of recent
/// scores (Vovk), nudged by quantile tracking q += eta (1{s > q} - (1 - alpha)) (Angelopoulos, Candes, Tibshirani,
/// arXiv:2307.16895) where feedback comes soon. Value type; O(log n) amortised an observation.
class Calibration {
 public:
    /// `levels` are the quantiles asked for; `echoes` how many scores one moment leaves, which must not count as so
    /// many.
    enum class Feedback : std::uint8_t { kSoon, kLate };
    void start(std::span<const double> levels, Feedback feedback, std::size_t capacity, std::size_t echoes);

    /// A score, (value - expected) / scale, that a forecast has earned; first checked against what was foretold.
    void observe(double score);
    /// Score below which the next one lies with probability levels[i]; 0 without any score yet.
    [[nodiscard]] double quantile(std::size_t level) const noexcept { return current_[level]; }
    /// Share of the past scores at or under what was foretold for each level; NaN before kScoresMin.
    [[nodiscard]] double past_coverage(std::size_t level) const noexcept;
    [[nodiscard]] std::size_t checked() const noexcept { return checked_; }
    /// Whether a state that was read holds together.
    [[nodiscard]] bool fits(std::size_t levels) const noexcept {
        return current_.size() == levels && levels_.size() == levels && offset_.size() == levels &&
               covered_.size() == levels && ring_.size() <= capacity_ && (next_ < capacity_) && echoes_ > 0;
    }

    template <class Archive>
    void walk(Archive& archive) {
        archive(levels_);
        archive(ring_);
        archive(current_);
        archive(offset_);
        archive(covered_);
        archive(capacity_);
        archive(next_);
        archive(since_);
        archive(checked_);
        archive(spread_);
        archive(soon_);
        archive(echoes_);
    }

 private:
    void requantile();
    std::vector<double> levels_;
    std::vector<float> ring_;
    std::vector<double> current_;
    std::vector<double> offset_;
    std::vector<std::uint64_t> covered_;
    std::size_t capacity_ = 0;
    std::size_t next_ = 0;
    std::size_t since_ = 0;
    std::size_t checked_ = 0;
    double spread_ = 0;
    std::uint8_t soon_ = 0;
    std::size_t echoes_ = 1;
};

}  // namespace penumbra::analysis::forecast
