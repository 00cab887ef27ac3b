#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penumbra::analysis::forecast {

/// Turns past errors of one range of horizons into quantiles of the next one. Value type; O(ring) an error, of a copy's
/// speed. Late feedback: split conformal (Vovk) on a ring of errors over their usual size. Soon: three experts
/// (conformal on the plain errors; quantile tracking q += eta (1{e > q} - (1 - level)) of them, Angelopoulos, Candes,
/// Tibshirani, arXiv:2307.16895; the same over the last hour's error size) vote by pinball loss^-8, and a last tracking
/// step on what was really foretold keeps the coverage.
class Calibration {
 public:
    enum class Feedback : std::uint8_t { kSoon, kLate };
    /// `levels` are the quantiles asked for; `echoes` how many errors one moment leaves, which must not count as so
    /// many.
    void start(std::span<const double> levels, Feedback feedback, std::size_t capacity, std::size_t echoes);

    /// What became of a forecast: value - expected, the scale it was issued with, and the offsets foretold for each
    /// level.
    void observe(double error, double scale, std::span<const float> foretold);
    /// Offset from what is expected below which the value lies with probability levels[level]; `scale` is what an error
    /// is measured in now. 0 without any error yet.
    [[nodiscard]] double offset(std::size_t level, double scale) const noexcept;
    /// Share of the past values at or under what was foretold for each level; NaN before there is one.
    [[nodiscard]] double past_coverage(std::size_t level) const noexcept;
    [[nodiscard]] std::size_t checked() const noexcept { return checked_; }
    /// Whether a state that was read holds together.
    [[nodiscard]] bool fits(std::size_t levels) const noexcept;
    /// Brings back what follows from the rest after it was read; `levels` as at the start.
    void complete(std::span<const double> levels);

    template <class Archive>
    void walk(Archive& archive) {
        archive(tracks_);
        archive(ring_);
        archive(capacity_);
        archive(next_);
        archive(checked_);
        archive(spread_);
        archive(lowest_);
        archive(highest_);
        archive(scaled_size_);
        archive(soon_);
        archive(echoes_);
    }

 private:
    static constexpr std::size_t kExperts = 3;
    /// Everything about one level.
    struct Track {
        double ring = 0;    ///< quantile of the ring
        double plain = 0;   ///< tracked
        double scaled = 0;  ///< tracked, in scales
        double correction = 0;
        std::array<double, kExperts> loss{};  ///< faded pinball of each expert
        std::uint64_t covered = 0;
        template <class Archive>
        void walk(Archive& archive) {
            archive(ring);
            archive(plain);
            archive(scaled);
            archive(correction);
            for (double& value : loss)
                archive(value);
            archive(covered);
        }
    };
    [[nodiscard]] std::array<double, kExperts> experts(const Track& track, double scale) const noexcept;
    void track(double error, double scale, std::span<const float> foretold);
    void keep(float error);
    void requantile();
    std::vector<double> levels_;
    std::vector<Track> tracks_;
    std::vector<float> ring_;    ///< soon: errors; late: errors over their scale
    std::vector<float> sorted_;  ///< the ring in rising order; follows from it
    std::size_t capacity_ = 0;
    std::size_t next_ = 0;
    std::size_t checked_ = 0;
    double spread_ = 0;  ///< between the ring's 99 % quantile and its median
    double lowest_ = 0;
    double highest_ = 0;
    double scaled_size_ = 0;  ///< usual size of an error over its scale
    std::uint8_t soon_ = 0;
    std::size_t echoes_ = 1;
};

}  // namespace penumbra::analysis::forecast
