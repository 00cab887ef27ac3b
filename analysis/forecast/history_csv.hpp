#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/forecast/forecaster.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::forecast {

/// A metric's history as people export it: a row a point, with its time and its value (see CsvReader). `column` names
/// the value's column in the heading; empty: the one called "value", else the first that is not the time. A value that
/// is empty or NaN was not measured and is left out. Errors: kInvalidArgument with file, line and column; for more than
/// limits::kForecastHistoryMax points, or none.
[[nodiscard]] Result<std::vector<Observation>> parse_history(std::string_view file_name, std::string_view csv,
                                                             std::string_view column = {});

}  // namespace penumbra::analysis::forecast
