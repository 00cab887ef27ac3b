#include "cli/report/chart_points.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace penumbra::cli {

namespace {

constexpr double kStepsToBreak = 3;

double ms_between(const ChartPoint& from, const ChartPoint& to) {
    return static_cast<double>((to.at - from.at).count());
}

/// What lies between two points as a rule; the mean would take the gaps for steps.
double usual_step(const std::vector<ChartPoint>& points) {
    std::vector<double> steps;
    for (std::size_t i = 1; i < points.size(); ++i)
        steps.push_back(ms_between(points[i - 1], points[i]));
    if (steps.empty()) return 0;
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
    std::ranges::nth_element(steps, middle);
    return *middle;
}

}  // namespace

std::vector<std::vector<ChartPoint>> runs_of(const std::vector<ChartPoint>& points,
                                             const std::function<bool(double)>& has_place) {
    const double usual = usual_step(points);
    std::vector<std::vector<ChartPoint>> runs;
    for (const ChartPoint& point : points) {
        if (!has_place(point.value)) continue;
        if (runs.empty() || ms_between(runs.back().back(), point) > kStepsToBreak * usual) runs.emplace_back();
        runs.back().push_back(point);
    }
    return runs;
}

std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& run, double column_ms) {
    std::vector<ChartPoint> kept;
    const auto column_of = [&](const ChartPoint& point) {
        return std::floor(ms_between(run.front(), point) / column_ms);
    };
    for (auto first = run.begin(); first != run.end();) {
        const double column = column_of(*first);
        const auto next = std::find_if(first, run.end(), [&](const auto& point) { return column_of(point) != column; });
        const auto [low, high] = std::minmax_element(
            first, next, [](const ChartPoint& a, const ChartPoint& b) { return a.value < b.value; });
        std::array chosen = {first, low, high, next - 1};
        std::ranges::sort(chosen);
        const auto repeated = std::ranges::unique(chosen);
        std::transform(chosen.begin(), repeated.begin(), std::back_inserter(kept), [](auto at) { return *at; });
        first = next;
    }
    return kept;
}

}  // namespace penumbra::cli
