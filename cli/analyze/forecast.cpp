#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/forecast/backtest.hpp"
#include "analysis/forecast/checked_fit.hpp"
#include "analysis/forecast/history_csv.hpp"
#include "base/durable_file.hpp"
#include "base/limits/analysis.hpp"
#include "base/limits/cli.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/render/render_analysis.hpp"
#include "cli/report/forecast_chart.hpp"

namespace penumbra::cli {

namespace {

namespace forecast = analysis::forecast;

constexpr auto kShownBefore = std::chrono::days(7);

Result<forecast::History> history_in(const SeriesQuestion& question) {
    const std::string csv = TRY(read_file(question.file, limits::kAnalyzeCsvBytesMax));
    const auto points = TRY(forecast::parse_history(question.file.filename().native(), csv, question.column));
    Result<forecast::History> history = forecast::on_grid(points, question.step);
    if (!history) return fail_in(question.file.filename().native(), history.error());
    return history;
}

Result<std::size_t> steps_of(std::chrono::seconds horizon, const forecast::History& history) {
    const auto steps = std::chrono::milliseconds(horizon) / history.step;
    if (steps >= 1 && steps <= static_cast<std::int64_t>(limits::kForecastHorizonMax))
        return static_cast<std::size_t>(steps);
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("a horizon of {} s is not between 1 and {} of the history's steps of {} s: choose another "
                    "horizon, or a longer --step",
                    horizon.count(), limits::kForecastHorizonMax, std::chrono::duration<double>(history.step).count()));
}

/// A metric that was below 0 can be so again; load cannot.
forecast::ForecastOptions options_for(const forecast::History& history, const SeriesQuestion& question) {
    forecast::ForecastOptions options{.utc_offset = question.utc_offset};
    if (std::ranges::any_of(history.values, [](double value) { return value < 0; }))
        options.lowest = -std::numeric_limits<double>::infinity();
    return options;
}

Result<void> draw(const forecast::History& history, const forecast::ForecastResult& result,
                  const SeriesQuestion& question, const std::filesystem::path& svg) {
    std::vector<model::ForecastPoint> points;
    for (const forecast::ForecastStep& step : result.steps)
        points.push_back({step.at, step.values});
    Chart chart = fan_of(question.file.filename().native() + ", forecast", question.column, result.quantiles, points);
    ChartLine past{.name = "measured", .css_class = "production", .points = {}};
    const auto shown =
        std::min<std::size_t>(history.values.size(), static_cast<std::size_t>(kShownBefore / history.step));
    for (std::size_t i = history.values.size() - shown; i < history.values.size(); ++i)
        past.points.push_back({history.begin + history.step * static_cast<std::int64_t>(i), history.values[i]});
    chart.lines.insert(chart.lines.begin(), std::move(past));
    return write_file_durably(svg, svg_file_of(chart), limits::kDrawingMode);
}

}  // namespace

Result<ExitCode> analyze_forecast(Session& session, const SeriesQuestion& question, const std::filesystem::path& svg) {
    const forecast::History history = TRY(history_in(question));
    const std::size_t steps = TRY(steps_of(question.horizon, history));
    forecast::ForecastOptions options = options_for(history, question);
    options.horizon = steps;
    const forecast::ForecastResult result = TRY(forecast::fit_checked(history, options)).forecast(steps);
    if (!svg.empty()) TRY(draw(history, result, question, svg));
    session.print(render(result, session.format));
    return ExitCode::kDone;
}

Result<ExitCode> analyze_backtest(Session& session, const SeriesQuestion& question, std::size_t origins) {
    const forecast::History history = TRY(history_in(question));
    const std::size_t steps = TRY(steps_of(question.horizon, history));
    const forecast::Backtest test = TRY(
        forecast::backtest(history, {.horizon = steps, .origins = origins, .model = options_for(history, question)}));
    session.print(render(test, session.format));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
