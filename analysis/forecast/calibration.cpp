#include "analysis/forecast/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::forecast {

namespace {
constexpr std::size_t kScoresMin = 20;        ///< before any quantile is believed
constexpr std::size_t kRequantileShare = 16;  ///< a sort once this part of the ring is new
constexpr double kStep = 0.02;                ///< of the tracking, in units of the spread q99 - q50
constexpr double kLateRepeats = 4;            ///< origins whose late scores count as one
constexpr double kFade = 0.998;  ///< of the tracked offset a score, so that the ring's quantile leads again
}  // namespace

void Calibration::start(std::span<const double> levels, Feedback feedback, std::size_t capacity, std::size_t echoes) {
    *this = Calibration{};
    levels_.assign(levels.begin(), levels.end());
    current_.assign(levels.size(), 0);
    offset_.assign(levels.size(), 0);
    covered_.assign(levels.size(), 0);
    capacity_ = std::max<std::size_t>(capacity, kScoresMin);
    echoes_ = std::max<std::size_t>(echoes, 1);
    soon_ = feedback == Feedback::kSoon ? 1 : 0;
}

void Calibration::observe(double score) {
    if (!std::isfinite(score)) return;
    if (ring_.size() >= kScoresMin) {
        ++checked_;
        for (std::size_t i = 0; i < levels_.size(); ++i) {
            const bool under = score <= current_[i];
            covered_[i] += under ? 1 : 0;
            if (soon_ == 0) continue;
            const double step =
                kStep / static_cast<double>(echoes_) * spread_ * ((under ? 0.0 : 1.0) - (1 - levels_[i]));
            offset_[i] = kFade * offset_[i] + step;
            current_[i] += step;
        }
    }
    if (ring_.size() < capacity_) {
        ring_.push_back(static_cast<float>(score));
    } else {
        ring_[next_] = static_cast<float>(score);
        next_ = (next_ + 1) % capacity_;
    }
    if (++since_ >= ring_.size() / kRequantileShare || ring_.size() <= kScoresMin) requantile();
}

void Calibration::requantile() {
    since_ = 0;
    std::vector<double> sorted(ring_.begin(), ring_.end());
    // a few scores know how large errors are, not yet which way they lean
    if (sorted.size() < kScoresMin) {
        for (const float score : ring_)
            sorted.push_back(-static_cast<double>(score));
    }
    std::ranges::sort(sorted);
    // scores of one moment, and late ones of neighbouring moments, say nearly the same: they count as fewer
    const double worth = soon_ != 0 ? 1 : kLateRepeats * static_cast<double>(echoes_);
    const double n = std::max(1.0, static_cast<double>(sorted.size()) / worth);
    spread_ = statistics::quantile_sorted(sorted, 0.99) - statistics::quantile_sorted(sorted, 0.5);
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        // split conformal's (n + 1) / n, taken from the middle so that the median stays one
        const double place = std::clamp(0.5 + (levels_[i] - 0.5) * (n + 1) / n, 0.0, 1.0);
        current_[i] = statistics::quantile_sorted(sorted, place) + offset_[i];
    }
}

double Calibration::past_coverage(std::size_t level) const noexcept {
    if (checked_ == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(covered_[level]) / static_cast<double>(checked_);
}

}  // namespace penumbra::analysis::forecast
