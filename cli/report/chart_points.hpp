#pragma once

#include <functional>
#include <vector>

#include "cli/report/svg_chart.hpp"

/// What of a line's points is drawn. Pure.
namespace penumbra::cli {

/// The points that `has_place` admits, parted where the next is more than three usual steps away: there, something was
/// not measured.
[[nodiscard]] std::vector<std::vector<ChartPoint>> runs_of(const std::vector<ChartPoint>& points,
                                                           const std::function<bool(double)>& has_place);

/// No more than four points of each stretch of `column_ms` milliseconds: its first, lowest, highest and last, so that
/// the drawing looks the same and a report of a day can still be opened.
[[nodiscard]] std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& run, double column_ms);

}  // namespace penumbra::cli
