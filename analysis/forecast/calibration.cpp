#include "analysis/forecast/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penumbra::analysis::forecast {

namespace {
constexpr std::size_t kErrorsMin = 20;     ///< before any quantile is believed
constexpr std::size_t kTrackedFrom = 60;   ///< before trackers start, where the ring's quantile stands
constexpr double kPlainStep = 0.01;        ///< of tracking, in units of the spread q99 - q50
constexpr double kScaledStep = 0.05;       ///< in usual scaled errors
constexpr double kCorrectionStep = 0.003;  ///< of the last step, in units of the spread
constexpr double kCorrectionFade = 0.998;  ///< so that the experts lead again
constexpr double kLossFade = 0.9992;       ///< half of an expert's loss is forgotten in 864 errors: three days
constexpr double kLateRepeats = 4;         ///< origins whose late errors count as one

double pinball(double error, double offset, double level) noexcept {
    return error >= offset ? level * (error - offset) : (1 - level) * (offset - error);
}
}  // namespace

void Calibration::start(std::span<const double> levels, Feedback feedback, std::size_t capacity, std::size_t echoes) {
    *this = Calibration{};
    levels_.assign(levels.begin(), levels.end());
    tracks_.assign(levels.size(), Track{});
    capacity_ = std::max<std::size_t>(capacity, kErrorsMin);
    echoes_ = std::max<std::size_t>(echoes, 1);
    soon_ = feedback == Feedback::kSoon ? 1 : 0;
}

std::array<double, Calibration::kExperts> Calibration::experts(const Track& track, double scale) const noexcept {
    // right after a quiet hour turned wild its size says anything: never further than an error that was seen
    return {track.ring, track.plain, std::clamp(track.scaled * scale, lowest_, highest_)};
}

double Calibration::offset(std::size_t level, double scale) const noexcept {
    const Track& track = tracks_[level];
    if (soon_ == 0) return track.ring * scale;
    if (ring_.size() < kTrackedFrom) return track.ring;
    const auto offsets = experts(track, scale);
    const double best = *std::ranges::min_element(track.loss);
    double sum = 0;
    double weights = 0;
    for (std::size_t e = 0; e < kExperts; ++e) {
        const double ratio = track.loss[e] > 0 ? best / track.loss[e] : 1;
        const double fourth = ratio * ratio * ratio * ratio;
        sum += fourth * fourth * offsets[e];
        weights += fourth * fourth;
    }
    return weights > 0 ? sum / weights + track.correction : track.ring;
}

void Calibration::track(double error, double scale, std::span<const float> foretold) {
    const double size = std::abs(error) / scale;
    scaled_size_ = scaled_size_ > 0 ? scaled_size_ + 0.01 * (std::min(size, 8 * scaled_size_) - scaled_size_) : size;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        Track& track = tracks_[i];
        const auto offsets = experts(track, scale);
        for (std::size_t e = 0; e < kExperts; ++e) {
            const double loss = pinball(error, offsets[e], levels_[i]);
            track.loss[e] = kLossFade * track.loss[e] + (1 - kLossFade) * loss;
        }
        const auto step = [&](double was) { return (error > was ? 1.0 : 0.0) - (1 - levels_[i]); };
        track.plain += kPlainStep * spread_ * step(track.plain);
        track.scaled += kScaledStep * scaled_size_ * step(track.scaled * scale);
        track.correction =
            kCorrectionFade * track.correction + kCorrectionStep * spread_ * step(static_cast<double>(foretold[i]));
    }
}

void Calibration::observe(double error, double scale, std::span<const float> foretold) {
    if (!std::isfinite(error)) return;
    if (ring_.size() >= kErrorsMin) {
        ++checked_;
        for (std::size_t i = 0; i < levels_.size(); ++i)
            tracks_[i].covered += static_cast<float>(error) <= foretold[i] ? 1 : 0;
    }
    if (soon_ != 0 && ring_.size() >= kTrackedFrom && scale > 0) track(error, scale, foretold);
    if (soon_ == 0 && !(scale > 0)) return;
    keep(static_cast<float>(soon_ != 0 ? error : error / scale));
    requantile();
    if (soon_ == 0 || ring_.size() != kTrackedFrom || scaled_size_ > 0) return;
    for (Track& track : tracks_) {
        track.plain = track.ring;
        track.scaled = scale > 0 ? track.ring / scale : 0;
    }
}

void Calibration::keep(float error) {
    if (!std::isfinite(error)) return;
    if (ring_.size() < capacity_) {
        ring_.push_back(error);
    } else {
        sorted_.erase(std::ranges::lower_bound(sorted_, ring_[next_]));
        ring_[next_] = error;
        next_ = (next_ + 1) % capacity_;
    }
    sorted_.insert(std::ranges::upper_bound(sorted_, error), error);
}

bool Calibration::fits(std::size_t levels) const noexcept {
    return tracks_.size() == levels && ring_.size() <= capacity_ && next_ < capacity_ && echoes_ > 0 &&
           std::ranges::all_of(ring_, [](float error) { return std::isfinite(error); });
}

void Calibration::complete(std::span<const double> levels) {
    levels_.assign(levels.begin(), levels.end());
    sorted_ = ring_;
    std::ranges::sort(sorted_);
}

void Calibration::requantile() {
    if (sorted_.empty()) return;
    // a few errors know how large errors are, not yet which way they lean
    std::vector<float> mirrored;
    if (sorted_.size() < kErrorsMin) {
        mirrored = sorted_;
        for (const float error : sorted_)
            mirrored.push_back(-error);
        std::ranges::sort(mirrored);
    }
    const std::span<const float> sorted = mirrored.empty() ? sorted_ : mirrored;
    const auto at = [&](double place) {
        const double spot = place * static_cast<double>(sorted.size() - 1);
        const auto below = static_cast<std::size_t>(spot);
        const std::size_t above = std::min(below + 1, sorted.size() - 1);
        const double part = spot - static_cast<double>(below);
        return static_cast<double>(sorted[below]) * (1 - part) + static_cast<double>(sorted[above]) * part;
    };
    // errors of one moment, and late ones of neighbouring moments, say nearly the same: they count as fewer
    const double worth = soon_ != 0 ? 1 : kLateRepeats * static_cast<double>(echoes_);
    const double n = std::max(1.0, static_cast<double>(sorted.size()) / worth);
    spread_ = at(0.99) - at(0.5);
    lowest_ = static_cast<double>(sorted.front());
    highest_ = static_cast<double>(sorted.back());
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        // split conformal's (n + 1) / n, taken from the middle so that the median stays one
        tracks_[i].ring = at(std::clamp(0.5 + (levels_[i] - 0.5) * (n + 1) / n, 0.0, 1.0));
    }
}

double Calibration::past_coverage(std::size_t level) const noexcept {
    if (checked_ == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(tracks_[level].covered) / static_cast<double>(checked_);
}

}  // namespace penumbra::analysis::forecast
