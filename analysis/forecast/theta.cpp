#include "analysis/forecast/theta.hpp"

#include <algorithm>
#include <cmath>

namespace penumbra::analysis::forecast {

namespace {
constexpr double kSlopeHours = 6;
constexpr double kSlopeFromDays = 3;  ///< before that the slope is the day's own rise
}  // namespace

void Theta::update(double value, std::size_t per_day) noexcept {
    if (count_ == 0) levels_.fill(value);
    const double fade = 1.0 / static_cast<double>(per_day);
    for (std::size_t i = 0; i < kRates.size(); ++i) {
        errors_[i] += fade * (std::abs(value - levels_[i]) - errors_[i]);
        levels_[i] += kRates[i] * (value - levels_[i]);
    }
    // running least squares over the values that are there
    const double time = count_;
    count_ += 1;
    const double from_mean = time - time_mean_;
    time_mean_ += from_mean / count_;
    value_mean_ += (value - value_mean_) / count_;
    time_square_ += from_mean * (time - time_mean_);
    product_ += from_mean * (value - value_mean_);
}

double Theta::ahead(std::size_t ahead, std::size_t per_hour) const noexcept {
    const auto best = static_cast<std::size_t>(std::ranges::min_element(errors_) - errors_.begin());
    const bool has_slope = count_ > kSlopeFromDays * 24 * static_cast<double>(per_hour) && time_square_ > 0;
    const double slope = has_slope ? product_ / time_square_ : 0;
    const double steps = std::min(static_cast<double>(ahead), kSlopeHours * static_cast<double>(per_hour));
    return levels_[best] + 0.5 * slope * steps;
}

}  // namespace penumbra::analysis::forecast
