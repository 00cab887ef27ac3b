#include <algorithm>
#include <chrono>
#include <map>
#include <ratio>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/capacity/load_curve.hpp"
#include "analysis/capacity/trial_advice.hpp"
#include "analysis/csv_reader.hpp"
#include "base/durable_file.hpp"
#include "base/limits/analysis.hpp"
#include "base/limits/cli.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/render/render_analysis.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

namespace {

namespace capacity = analysis::capacity;
using analysis::CsvReader;

using RowsBySize = std::map<double, std::vector<capacity::LoadRow>>;

Result<double> positive(const CsvReader& reader, std::size_t column) {
    const double value = TRY(reader.number(column));
    if (value > 0) return value;
    return reader.unexpected(column, "a number above 0");
}

/// By size; all under 0 where the file has no such column.
Result<RowsBySize> rows_in(const std::filesystem::path& file) {
    const std::string csv = TRY(read_file(file, limits::kAnalyzeCsvBytesMax));
    CsvReader reader(file.filename().native(), csv);
    const auto offered = reader.column_of({"offered", "offered_per_second"});
    const auto throughput = reader.column_of({"throughput", "throughput_per_second"});
    const auto latency = reader.column_of({"latency_ms", "latency"});
    const auto size = reader.column_of({"size"});
    if (!offered || !throughput || !latency) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}: expected a heading with the columns offered, throughput, latency_ms, and size if "
                                "more than one was measured",
                                reader.file_name()));
    }
    RowsBySize rows;
    std::size_t count = 0;
    while (TRY(reader.next())) {
        if (++count > limits::kSampleValuesMax)
            return reader.unexpected(0, fmt::format("at most {} rows", limits::kSampleValuesMax));
        const double answered = TRY(reader.number(*throughput));
        if (answered < 0) return reader.unexpected(*throughput, "a number not below 0");
        rows[size ? TRY(positive(reader, *size)) : 0].push_back({.offered_per_second = TRY(positive(reader, *offered)),
                                                                 .throughput_per_second = answered,
                                                                 .latency_ms = TRY(positive(reader, *latency))});
    }
    if (rows.empty()) return fail(ErrorCode::kInvalidArgument, fmt::format("{}: there is no row", reader.file_name()));
    return rows;
}

Result<void> draw(const CapacityFindings& findings, const std::filesystem::path& svg) {
    CurveChart chart{.title = "answered load against offered load", .x_unit = "/s", .y_unit = "/s"};
    double most = 0;
    std::vector<std::string> colours{"control", "treated", "production"};
    for (const auto& [size, curve] : findings.curves) {
        const std::string& colour = colours[chart.curves.size() % colours.size()];
        Curve line{.name = size > 0 ? fmt::format("size {:g}", size) : "answered", .css_class = colour, .points = {}};
        for (const auto& step : curve.steps) {
            line.points.emplace_back(step.offered_per_second, step.throughput_per_second);
            most = std::max(most, step.throughput_per_second);
        }
        chart.curves.push_back(line);
    }
    chart.curves.push_back({.name = "all that is offered", .css_class = "", .points = {{0, 0}, {most, most}}});
    return write_file_durably(svg, svg_file_of(chart), limits::kDrawingMode);
}

/// What the sizes say of another one; throughput of a size is its capacity, or where nothing held its saturation.
Result<void> scale(CapacityFindings& findings, double asked) {
    std::vector<capacity::ScalePoint> points;
    for (const auto& [size, curve] : findings.curves) {
        const double throughput = curve.capacity_per_second.value_or(curve.saturation_per_second);
        if (size > 0 && throughput > 0) points.push_back({size, throughput});
    }
    if (points.size() >= 2) findings.law = TRY(capacity::fit_scaling_law(points));
    if (asked <= 0) return {};
    findings.asked_size = asked;
    findings.answer =
        TRY(capacity::predict_throughput({.points = points, .anchor = {}, .size = asked, .past_errors = {}}));
    return {};
}

/// What larger measured sizes turned out to be, foretold from the smaller ones.
std::vector<capacity::SizeHindcast> hindcasts_of(std::span<const capacity::ScalePoint> points) {
    std::vector<capacity::SizeHindcast> hindcasts;
    for (std::size_t i = 2; i < points.size(); ++i) {
        const auto answer = capacity::predict_throughput(
            {.points = points.first(i), .anchor = {}, .size = points[i].size, .past_errors = {}});
        // a size too far from the smaller ones is not foretold at all
        if (!answer || !(answer->throughput > 0)) continue;
        hindcasts.push_back({.ratio = points[i].size / points[i - 1].size,
                             .relative_error = points[i].throughput / answer->throughput - 1});
    }
    return hindcasts;
}

/// Which steps to offer next, and how large a shadow it takes for the size that is asked for.
Result<void> advise(CapacityFindings& findings, const CapacityQuestion& question) {
    std::vector<capacity::LoadOutcome> outcomes;
    std::vector<capacity::ScalePoint> points;
    std::vector<double> sizes{question.size, question.size / 2, question.size / 4};
    for (const auto& [size, curve] : findings.curves) {
        for (const auto& step : curve.steps)
            outcomes.push_back(
                {.size = size > 0 ? size : 1, .offered_per_second = step.offered_per_second, .outcome = step.outcome});
        const double throughput = curve.capacity_per_second.value_or(curve.saturation_per_second);
        if (size > 0 && throughput > 0) points.push_back({size, throughput});
        if (size > 0 && size < question.size) sizes.push_back(size);
    }
    const double minutes = std::chrono::duration<double, std::ratio<60>>(question.step).count();
    findings.next_steps =
        TRY(capacity::next_load_steps({.past = outcomes, .step_minutes = minutes, .recover_minutes = minutes}));
    if (question.size <= 0) return {};
    const auto hindcasts = hindcasts_of(points);
    findings.shadow_size =
        TRY(capacity::advise_shadow_size({.production_size = question.size, .sizes = sizes, .past = hindcasts}));
    return {};
}

}  // namespace

Result<ExitCode> analyze_capacity(Session& session, const CapacityQuestion& question) {
    const RowsBySize rows = TRY(rows_in(question.file));
    CapacityFindings findings;
    for (const auto& [size, same] : rows) {
        findings.curves.emplace_back(size,
                                     TRY(capacity::measure_curve(same, {.latency_max_ms = question.latency_max_ms})));
    }
    TRY(scale(findings, question.size));
    TRY(advise(findings, question));
    if (!question.svg.empty()) TRY(draw(findings, question.svg));
    session.print(render(findings, session.format));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
