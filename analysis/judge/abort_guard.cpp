#include "analysis/judge/abort_guard.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/core.h>

#include "analysis/statistics/autocorrelation.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::judge {

namespace {

constexpr double kSpread = 10;
constexpr double kTimesInBlock = 5;

}  // namespace

Result<AbortGuard> AbortGuard::create(const Options& options) {
    if (!(options.harm >= 0) || options.block == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("an abort guard on {} beyond {} in blocks of {} has no meaning", to_string(options.kpi),
                                options.harm, options.block));
    }
    // two-sided, and only its lower end can trip: alpha is kept with room. Harm that ends a trial is many deviations of
    // a block away, and a spread that wide gives the first word after the fewest blocks
    return AbortGuard(options,
                      TRY(statistics::ConfidenceSequence::create({.alpha = options.alpha, .spread = kSpread})));
}

void AbortGuard::add(const model::KpiWindow& control, const model::KpiWindow& treated) {
    if (tripped_ || differences_.size() >= limits::kSampleValuesMax) return;
    const auto of_control = kpi_value(options_.kpi, std::span(&control, 1));
    const auto of_treated = kpi_value(options_.kpi, std::span(&treated, 1));
    if (!of_control || !of_treated) return;
    const double difference = comparable(options_.kpi, *of_treated) - comparable(options_.kpi, *of_control);
    if (!std::isfinite(difference)) return;
    differences_.push_back(difference);
    if (differences_.size() % options_.block == 0) look();
}

void AbortGuard::look() {
    const auto time = statistics::integrated_time(differences_);
    if (!time) return;
    // the estimate is low on short stretches, by about 2 time / n of itself
    const double corrected = *time * (1 + 2 * *time / static_cast<double>(differences_.size()));
    length_ = std::max(length_, static_cast<std::size_t>(std::ceil(kTimesInBlock * corrected)));
    statistics::ConfidenceSequence sequence = unfed_;
    for (std::size_t begin = 0; begin + length_ <= differences_.size(); begin += length_)
        sequence.add(statistics::mean(std::span(differences_).subspan(begin, length_)));
    const double low = sequence.interval().low;
    if (!(low > shift_of(options_.kpi, options_.harm))) return;
    tripped_ = true;
    sure_effect_ = effect_of(options_.kpi, low);
    seen_after_ = differences_.size();
}

std::string AbortGuard::reason() const {
    if (!tripped_) return {};
    return fmt::format("{} of the treated arm is {} or more against control for sure, seen after {} windows",
                       to_string(options_.kpi), in_words(options_.kpi, sure_effect_), seen_after_);
}

}  // namespace penumbra::analysis::judge
