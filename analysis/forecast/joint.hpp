#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "analysis/forecast/forecaster.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::forecast {

/// Several series foretold together, and their sum: the VMs of a host, the hosts of a service.
struct JointForecast {
    std::vector<ForecastResult> each;  ///< in the order of the series
    std::vector<ForecastStep> sum;     ///< quantiles of the sum: not the sum of the quantiles
    std::size_t paths = 0;             ///< past moments whose errors say how the series go together
    std::string explanation;           ///< what the sum rests on, in one sentence
};

/// Quantiles of each series and of their sum, `steps` ahead. Each series keeps its own calibrated quantiles; how they
/// go together is the order of their past errors at the same moments (Schaake shuffle: Clark et al., J.
/// Hydrometeorology 5, 2004; as ensemble copula coupling, Schefzik, Thorarinsdottir, Gneiting, Statistical Science 28,
/// 2013): a model of the first two thirds of each history foretells the last third, and what its paths missed at each
/// horizon, ranked, takes the place of its quantile. Series that rise together so add up whole, others narrower. With
/// fewer than kPathsMin paths they are taken to rise together, which is never too little above the median. O(series *
/// (n + paths * steps)). `options` holds for all; their limits are each one's. Errors: as Forecaster::fit;
/// kInvalidArgument for no series, or series that do not share begin, step and length; kResourceExhausted above
/// limits::kJointSeriesMax.
[[nodiscard]] Result<JointForecast> forecast_together(std::span<const History> series, const ForecastOptions& options,
                                                      std::size_t steps);

inline constexpr std::size_t kPathsMin = 20;

}  // namespace penumbra::analysis::forecast
