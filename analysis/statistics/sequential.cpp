#include "analysis/statistics/sequential.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/core.h>

namespace penumbra::analysis::statistics {

void MixtureTest::add(double value) noexcept {
    ++n_;
    sum_ += value - options_.null_mean;
    const auto n = static_cast<double>(n_);
    const double v = options_.variance;
    const double spread = options_.tau * options_.tau;
    const double log_ratio = 0.5 * std::log(v / (v + n * spread)) + spread * sum_ * sum_ / (2 * v * (v + n * spread));
    // a value that is no number proves nothing
    if (!std::isnan(log_ratio)) p_ = std::min(p_, std::exp(-log_ratio));
}

double mixture_r(double v_opt, double alpha) noexcept {
    const double log_inverse = -std::log(alpha);
    return v_opt / (2 * log_inverse + std::log1p(2 * log_inverse));
}

double mixture_boundary(double v, double r, double alpha) noexcept {
    return std::sqrt((v + r) * (std::log1p(v / r) - 2 * std::log(alpha)));
}

Result<ConfidenceSequence> ConfidenceSequence::create(const Options& options) {
    if (!(options.alpha > 0 && options.alpha < 0.5) || !(options.spread > 0) || !std::isfinite(options.spread)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a confidence sequence with alpha {} and a spread of {} deviations has no meaning",
                                options.alpha, options.spread));
    }
    return ConfidenceSequence(options);
}

void ConfidenceSequence::add(double value) noexcept {
    ++n_;
    const double away = value - mean_;
    mean_ += away / static_cast<double>(n_);
    squares_ += away * (value - mean_);
}

model::Interval ConfidenceSequence::interval() const noexcept {
    const double infinity = std::numeric_limits<double>::infinity();
    model::Interval result{.low = -infinity, .high = infinity, .confidence = 1 - options_.alpha};
    if (n_ < 2 || !std::isfinite(squares_)) return result;
    const auto n = static_cast<double>(n_);
    const double r = 1 + n * options_.spread * options_.spread;
    const double a = std::pow(std::sqrt(r) / options_.alpha, 2 / n);
    if (!(a < r)) return result;
    const double reach = std::sqrt((a - 1) / (1 - a / r) * squares_ / n);
    result.low = mean_ - reach;
    result.high = mean_ + reach;
    return result;
}

}  // namespace penumbra::analysis::statistics
