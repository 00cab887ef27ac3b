#pragma once

#include <chrono>

#include "analysis/forecast/forecaster.hpp"
#include "base/result.hpp"

/// What has to be true of a forecast's input. Pure.
namespace penumbra::analysis::forecast {

[[nodiscard]] bool divides_a_day(std::chrono::milliseconds step) noexcept;
/// Strictly between 0 and 1.
[[nodiscard]] bool is_inside(double quantile) noexcept;
/// Errors: kInvalidArgument for offsets beyond a day, or changes or special days that do not rise; kResourceExhausted
/// for more than limits allow.
[[nodiscard]] Result<void> check_clock(const ForecastOptions& options);
/// All of it; errors as Forecaster::fit says.
[[nodiscard]] Result<void> check(const History& history, const ForecastOptions& options);

}  // namespace penumbra::analysis::forecast
