#pragma once

#include <string>
#include <vector>

#include "cli/report/svg_chart.hpp"
#include "proto/model/api.hpp"

namespace penumbra::cli {

/// A forecast as a fan: its median as a line, and a band up to each higher quantile from its mirror image below, or
/// from the median where that is not given. `quantiles` rise, and every point has a value for each. Pure.
[[nodiscard]] Chart fan_of(std::string title, std::string unit, const std::vector<double>& quantiles,
                           const std::vector<model::ForecastPoint>& points);

}  // namespace penumbra::cli
