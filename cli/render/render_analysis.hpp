#pragma once

#include <string>

#include "analysis/forecast/backtest.hpp"
#include "analysis/forecast/forecaster.hpp"
#include "cli/render/render.hpp"

/// What `penumbra analyze` prints. Pure.
namespace penumbra::cli {

/// A long forecast as a table shows every so many steps and each quantile's peak; as JSON all of it.
[[nodiscard]] std::string render(const analysis::forecast::ForecastResult& forecast, Format format);
[[nodiscard]] std::string render(const analysis::forecast::Backtest& test, Format format);

}  // namespace penumbra::cli
