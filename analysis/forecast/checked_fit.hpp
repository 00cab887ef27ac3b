#pragma once

#include "analysis/forecast/forecaster.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::forecast {

/// Fits as Forecaster::fit, and sees to it that the model knows how often it held. A weekly model's first two weeks are
/// its opening, of which no forecast can be checked; where that is most of the history it is fitted to the first two
/// thirds and learns the rest as if it came now: a forecast of unknown coverage is worth less than one that learnt of
/// the week later. Errors: as Forecaster::fit.
[[nodiscard]] Result<Forecaster> fit_checked(const History& history, const ForecastOptions& options);

}  // namespace penumbra::analysis::forecast
