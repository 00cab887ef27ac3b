#include "analysis/capacity/hindcast.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

constexpr double kFalseAlarmsAfter = 1000;  ///< hindcasts, in the mean; shared out among the sums

}  // namespace

std::optional<double> hindcast_radius(std::span<const double> errors, double confidence) {
    std::vector<double> sorted;
    for (const double error : errors)
        sorted.push_back(std::abs(error));
    std::ranges::sort(sorted);
    const auto place = static_cast<std::size_t>(std::ceil(static_cast<double>(sorted.size() + 1) * confidence - 1e-9));
    if (place == 0 || place > sorted.size()) return std::nullopt;
    return sorted[place - 1];
}

Result<HindcastLedger> HindcastLedger::of(std::span<const Hindcast> past, double confidence) {
    if (!(confidence > 0 && confidence < 1)) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("a confidence of {} is not between 0 and 1: hindcasts cannot be held against it", confidence));
    }
    HindcastLedger ledger;
    ledger.confidence_ = confidence;
    for (const Hindcast& hindcast : past)
        TRY(ledger.add(hindcast));
    return ledger;
}

Result<void> HindcastLedger::add(const Hindcast& hindcast) {
    const double error = std::abs(hindcast.measured / hindcast.predicted - 1);
    if (!(hindcast.predicted > 0) || !(hindcast.measured > 0) || !std::isfinite(hindcast.predicted + error)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a hindcast of {} for a measured {} says nothing: both must be above 0",
                                hindcast.predicted, hindcast.measured));
    }
    if (const auto before = radius()) {
        ++judged_;
        covered_ += error <= *before ? 1 : 0;
        if (sums_.front() == 0 || alarmed_) reference_ = *before;
        watch(error > reference_);
    }
    if (errors_.size() == limits::kHindcastsKept) errors_.erase(errors_.begin());
    errors_.push_back(error);
    ++count_;
    return {};
}

void HindcastLedger::watch(bool is_missed) noexcept {
    const double allowed = 1 - confidence_;
    // (1 + p) / 2 are half of what is not missed yet; p (2 - p) is nearly twice p, and never 1
    const std::array<double, 2> unusual = {(1 + allowed) / 2, allowed * (2 - allowed)};
    const double alarm = std::log(kFalseAlarmsAfter * static_cast<double>(unusual.size()));
    for (std::size_t i = 0; i < unusual.size(); ++i) {
        const double step = is_missed ? std::log(unusual[i] / allowed) : std::log((1 - unusual[i]) / confidence_);
        // what is above the alarm is not added up: it would only make the way back longer
        sums_[i] = std::clamp(sums_[i] + step, 0.0, alarm);
        if (sums_[i] >= alarm) alarmed_ = true;
    }
    if (std::ranges::all_of(sums_, [](double sum) { return sum == 0; })) alarmed_ = false;
}

std::size_t HindcastLedger::needed() const noexcept {
    return static_cast<std::size_t>(std::ceil(confidence_ / (1 - confidence_) - 1e-9));
}

std::optional<model::Interval> HindcastLedger::around(double predicted) const {
    const auto width = radius();
    if (!width) return std::nullopt;
    return model::Interval{
        .low = predicted * std::max(0.0, 1 - *width), .high = predicted * (1 + *width), .confidence = confidence_};
}

std::string HindcastLedger::basis() const {
    if (radius()) return fmt::format("interval from {}", summary());
    return fmt::format(
        "no interval: how wrong such predictions are is not known, {} of the {} hindcasts a {:.0f} % one takes are "
        "there; keep what is foretold and what is measured",
        count_, needed(), 100 * confidence_);
}

std::string HindcastLedger::summary() const {
    if (judged_ == 0) return fmt::format("{} earlier predictions", count_);
    return fmt::format(
        "{} earlier predictions, of which {} of {} lay within what those before them allowed ({:.0f} % "
        "should)",
        count_, covered_, judged_, 100 * confidence_);
}

Result<HindcastLedger> trusted_ledger(std::span<const Hindcast> past, double confidence) {
    HindcastLedger ledger = TRY(HindcastLedger::of(past, confidence));
    if (!ledger.undercovers()) return ledger;
    return fail(ErrorCode::kUnsupported,
                fmt::format("nothing is foretold: {}; what production does has drifted away from its shadow: measure "
                            "it anew, predictions count again when they hold",
                            ledger.summary()));
}

}  // namespace penumbra::analysis::capacity
