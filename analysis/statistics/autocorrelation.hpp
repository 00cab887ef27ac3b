#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/limits/analysis.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::statistics {

/// Sample autocorrelations of lag 0 .. lag_max: sum (x_t - m)(x_{t+k} - m) / sum (x_t - m)^2, as R's acf. O(n lag_max).
/// A constant series has 1 at lag 0 and 0 elsewhere. Errors: kInvalidArgument for < 2 or non-finite values.
[[nodiscard]] Result<std::vector<double>> autocorrelation(std::span<const double> values, std::size_t lag_max);

/// tau = 1 + 2 sum rho_k over Geyer's initial positive sequence (Stat. Sci. 7, 1992), at least 1: n / tau values are
/// worth as much as n independent ones. Same errors; biased low below about 50 tau values.
[[nodiscard]] Result<double> integrated_time(std::span<const double> values);

/// First lag with autocorrelation below `threshold`, corrected for the bias -(1 + 4 rho)/n of short series (Kendall
/// 1954); at most n / 4 and limits::kAutocorrelationLagMax.
[[nodiscard]] Result<std::size_t> first_lag_below(std::span<const double> values, double threshold);

}  // namespace penumbra::analysis::statistics
