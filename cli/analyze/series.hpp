#pragma once

#include <cstddef>
#include <string_view>

#include "analysis/forecast/forecaster.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/report/svg_chart.hpp"

/// What the verbs on a metric's history share.
namespace penumbra::cli {

/// The history of one column of the question's file, whose text is `csv`, on its grid.
[[nodiscard]] Result<analysis::forecast::History> history_of(const SeriesQuestion& question, std::string_view csv,
                                                             std::string_view column);
/// The question's own column, read from its file.
[[nodiscard]] Result<analysis::forecast::History> history_in(const SeriesQuestion& question);
/// The horizon in steps. Errors: kInvalidArgument for none, or more than limits::kForecastHorizonMax.
[[nodiscard]] Result<std::size_t> steps_of(std::chrono::seconds horizon, const analysis::forecast::History& history);
/// The clock and the calendar of the question. A metric that was below 0 can be so again; load cannot.
[[nodiscard]] Result<analysis::forecast::ForecastOptions> options_for(const analysis::forecast::History& history,
                                                                      const SeriesQuestion& question);
/// The last week before a forecast.
[[nodiscard]] ChartLine measured_line(const analysis::forecast::History& history);

}  // namespace penumbra::cli
