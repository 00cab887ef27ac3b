#include "cli/report/forecast_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace penumbra::cli {

Chart fan_of(std::string title, std::string unit, const std::vector<double>& quantiles,
             const std::vector<model::ForecastPoint>& points) {
    Chart chart{.title = std::move(title), .unit = std::move(unit), .lines = {}, .bands = {}, .spans = {}};
    if (quantiles.empty()) return chart;
    const auto at = [&](std::size_t quantile) {
        std::vector<ChartPoint> line;
        for (const model::ForecastPoint& point : points) {
            if (quantile < point.values.size()) line.push_back({.at = point.at, .value = point.values[quantile]});
        }
        return line;
    };
    const auto nearest = [&](double level) {
        const auto found = std::ranges::min_element(quantiles, {}, [&](double q) { return std::abs(q - level); });
        return static_cast<std::size_t>(found - quantiles.begin());
    };
    const std::size_t middle = nearest(0.5);
    for (std::size_t high = quantiles.size(); high-- > middle + 1;) {
        const std::size_t low = std::min(middle, nearest(1 - quantiles[high]));
        chart.bands.push_back({.name = fmt::format("{:g} % to {:g} %", quantiles[low] * 100, quantiles[high] * 100),
                               .low = at(low),
                               .high = at(high)});
    }
    chart.lines.push_back({.name = quantiles[middle] == 0.5 ? "median" : fmt::format("{:g} %", quantiles[middle] * 100),
                           .css_class = "median",
                           .points = at(middle)});
    return chart;
}

}  // namespace penumbra::cli
