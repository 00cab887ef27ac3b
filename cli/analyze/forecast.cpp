#include <algorithm>
#include <limits>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/forecast/backtest.hpp"
#include "analysis/forecast/checked_fit.hpp"
#include "analysis/forecast/joint.hpp"
#include "base/durable_file.hpp"
#include "base/limits/analysis.hpp"
#include "base/limits/cli.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/analyze/series.hpp"
#include "cli/render/render_analysis.hpp"
#include "cli/report/forecast_chart.hpp"

namespace penumbra::cli {

namespace {

namespace forecast = analysis::forecast;

/// Each column's history, all on one grid from the first moment that any has to the last.
Result<std::vector<forecast::History>> histories_in(const SeriesQuestion& question) {
    const std::string csv = TRY(read_file(question.file, limits::kAnalyzeCsvBytesMax));
    std::vector<forecast::History> all;
    for (const std::string& column : question.sum) {
        forecast::History history = TRY(history_of(question, csv, column));
        if (!all.empty() && history.step != all[0].step) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}: columns {} and {} were measured at different steps: name one with --step",
                                    question.file.filename().native(), question.sum[0], column));
        }
        all.push_back(std::move(history));
    }
    const auto end_of = [](const forecast::History& history) {
        return history.begin + history.step * static_cast<std::int64_t>(history.values.size());
    };
    const WallTime begin = std::ranges::min(all, {}, &forecast::History::begin).begin;
    const WallTime end = std::ranges::max(std::views::transform(all, end_of));
    for (forecast::History& history : all) {
        if ((history.begin - begin) % history.step != std::chrono::milliseconds(0)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}: the columns' times do not lie on one grid: name one with --step",
                                    question.file.filename().native()));
        }
        const double missing = std::numeric_limits<double>::quiet_NaN();
        history.values.insert(history.values.begin(), static_cast<std::size_t>((history.begin - begin) / history.step),
                              missing);
        history.begin = begin;
        history.values.resize(static_cast<std::size_t>((end - begin) / history.step), missing);
    }
    return all;
}

Result<void> draw(const forecast::History& history, const forecast::ForecastResult& result,
                  const SeriesQuestion& question, const std::filesystem::path& svg) {
    std::vector<model::ForecastPoint> points;
    for (const forecast::ForecastStep& step : result.steps)
        points.push_back({step.at, step.values});
    Chart chart = fan_of(question.file.filename().native() + ", forecast", question.column, result.quantiles, points);
    chart.lines.insert(chart.lines.begin(), measured_line(history));
    return write_file_durably(svg, svg_file_of(chart), limits::kDrawingMode);
}

/// The columns' sum as it was measured, where all of them were.
forecast::History sum_of(std::span<const forecast::History> all) {
    forecast::History sum = all[0];
    for (const forecast::History& one : all.subspan(1)) {
        for (std::size_t i = 0; i < sum.values.size(); ++i)
            sum.values[i] += one.values[i];
    }
    return sum;
}

Result<ExitCode> forecast_sum(Session& session, const SeriesQuestion& question, const std::filesystem::path& svg) {
    const auto histories = TRY(histories_in(question));
    const std::size_t steps = TRY(steps_of(question.horizon, histories[0]));
    const forecast::History sum = sum_of(histories);
    forecast::ForecastOptions options = TRY(options_for(sum, question));
    for (const forecast::History& one : histories)
        options.lowest = std::min(options.lowest, TRY(options_for(one, question)).lowest);
    const forecast::JointForecast joint = TRY(forecast::forecast_together(histories, options, steps));
    if (!svg.empty()) {
        TRY(draw(sum, {.quantiles = options.quantiles, .steps = joint.sum}, question, svg));
    }
    session.print(render(joint, question.sum, session.format));
    return ExitCode::kDone;
}

}  // namespace

Result<ExitCode> analyze_forecast(Session& session, const SeriesQuestion& question, const std::filesystem::path& svg) {
    if (!question.sum.empty()) return forecast_sum(session, question, svg);
    const forecast::History history = TRY(history_in(question));
    const std::size_t steps = TRY(steps_of(question.horizon, history));
    forecast::ForecastOptions options = TRY(options_for(history, question));
    options.horizon = steps;
    const forecast::ForecastResult result = TRY(forecast::fit_checked(history, options)).forecast(steps);
    if (!svg.empty()) TRY(draw(history, result, question, svg));
    session.print(render(result, session.format));
    return ExitCode::kDone;
}

Result<ExitCode> analyze_backtest(Session& session, const SeriesQuestion& question, std::size_t origins) {
    const forecast::History history = TRY(history_in(question));
    const std::size_t steps = TRY(steps_of(question.horizon, history));
    const forecast::ForecastOptions model = TRY(options_for(history, question));
    const forecast::Backtest test =
        TRY(forecast::backtest(history, {.horizon = steps, .origins = origins, .model = model}));
    session.print(render(test, session.format));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
