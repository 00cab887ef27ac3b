#include "cli/report/kpi_charts.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "analysis/judge/kpi.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {

namespace {

using analysis::judge::Kpi;
using Value = std::function<std::optional<double>(const model::KpiWindow&)>;

std::string name_of(const model::Vantage& vantage) {
    return vantage.arm.empty() ? "production" : vantage.arm.text();
}

/// As the judge computes it: a person must see in the picture what the verdict speaks of.
Value judged(Kpi kpi, double factor) {
    return [=](const model::KpiWindow& window) -> std::optional<double> {
        const std::optional<double> value = analysis::judge::kpi_value(kpi, {&window, 1});
        if (!value.has_value()) return std::nullopt;
        return *value * factor;
    };
}

Value per_second(std::uint64_t model::KpiWindow::* count) {
    return [=](const model::KpiWindow& window) -> std::optional<double> {
        const double seconds = std::chrono::duration<double>(window.length).count();
        if (seconds <= 0) return std::nullopt;
        return static_cast<double>(window.*count) / seconds;
    };
}

}  // namespace

std::vector<ChartLine> lines_of(const std::vector<model::KpiWindow>& windows, const Value& value) {
    std::vector<std::pair<model::Vantage, ChartLine>> found;
    for (const model::KpiWindow& window : windows) {
        auto line = std::ranges::find(found, window.vantage, [](const auto& pair) { return pair.first; });
        if (line == found.end()) {
            const std::string name = name_of(window.vantage);
            line = found.insert(found.end(), {window.vantage, {.name = name, .css_class = name, .points = {}}});
        }
        if (const auto number = value(window)) line->second.points.push_back({.at = window.begin, .value = *number});
    }
    std::vector<ChartLine> lines;
    for (const auto& [vantage, line] : found) {
        const auto is_same = [&](const auto& other) { return other.second.name == line.name; };
        lines.push_back(line);
        if (std::ranges::count_if(found, is_same) > 1) {
            lines.back().name += fmt::format(" of {}", vantage.shadow.empty() ? vantage.group.text()  //
                                                                              : vantage.shadow.text());
        }
    }
    return lines;
}

std::optional<double> response_ms(const model::KpiWindow& window) {
    return judged(Kpi::kResponseTimeMean, 0.001)(window);
}

std::vector<Chart> kpi_charts(const std::vector<model::KpiWindow>& windows, const std::vector<ChartSpan>& spans) {
    std::vector<Chart> charts;
    const auto add = [&](std::string title, std::string unit, Scale scale, const Value& value) {
        charts.push_back({.title = std::move(title),
                          .unit = std::move(unit),
                          .scale = scale,
                          .lines = lines_of(windows, value),
                          .bands = {},
                          .spans = spans});
    };
    add("Response time, mean of each window", "ms", Scale::kLogarithmic, response_ms);
    add("Requests that failed: errors, and at an arm those without an answer", "%", Scale::kLinear,
        judged(Kpi::kErrorRate, 100));
    add("Requests", "requests/s", Scale::kLinear, per_second(&model::KpiWindow::requests));
    add("Processor of the guest", "cores", Scale::kLinear, judged(Kpi::kGuestCpu, 1));
    add("Read from disk", "B/s", Scale::kLinear, per_second(&model::KpiWindow::disk_read_bytes));
    add("Written to disk", "B/s", Scale::kLinear, per_second(&model::KpiWindow::disk_write_bytes));
    return charts;
}

std::string kpi_section(const ReportFacts& facts) {
    std::string pictures;
    for (const Chart& chart : kpi_charts(facts.windows, trial_spans(facts)))
        pictures += svg_of(chart);
    return pictures.empty() ? "" : "<h2>What production and the arms did</h2>\n" + pictures;
}

}  // namespace penumbra::cli
