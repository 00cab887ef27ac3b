#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cli/report/svg_chart.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::cli {

/// A line a vantage, in order of first appearance: "production", "control"; with the name of its group or shadow where
/// two would be called the same. A window without a value has no point. Pure.
[[nodiscard]] std::vector<ChartLine> lines_of(
    const std::vector<model::KpiWindow>& windows,
    const std::function<std::optional<double>(const model::KpiWindow&)>& value);

/// Mean of the window's response times in milliseconds; nothing of a window without an answer.
[[nodiscard]] std::optional<double> response_ms(const model::KpiWindow& window);

/// Response time, share of failed requests, requests, processor, disk: one picture each, those without a line left out.
[[nodiscard]] std::vector<Chart> kpi_charts(const std::vector<model::KpiWindow>& windows,
                                            const std::vector<ChartSpan>& spans);

}  // namespace penumbra::cli
