#include "cli/analyze/series.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/forecast/history_csv.hpp"
#include "analysis/forecast/special_days.hpp"
#include "base/durable_file.hpp"
#include "base/limits/analysis.hpp"
#include "base/limits/cli.hpp"
#include "base/time_zone.hpp"

namespace penumbra::cli {

namespace forecast = analysis::forecast;

namespace {
constexpr auto kShownBefore = std::chrono::days(7);
}

Result<forecast::History> history_of(const SeriesQuestion& question, std::string_view csv, std::string_view column) {
    const auto points = TRY(forecast::parse_history(question.file.filename().native(), csv, column));
    Result<forecast::History> history = forecast::on_grid(points, question.step);
    if (!history) return fail_in(question.file.filename().native(), history.error());
    return history;
}

Result<forecast::History> history_in(const SeriesQuestion& question) {
    const std::string csv = TRY(read_file(question.file, limits::kAnalyzeCsvBytesMax));
    return history_of(question, csv, question.column);
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

Result<forecast::ForecastOptions> options_for(const forecast::History& history, const SeriesQuestion& question) {
    forecast::ForecastOptions options{.utc_offset = question.utc_offset};
    if (!question.time_zone.empty()) {
        const WallTime end = history.begin + history.step * static_cast<std::int64_t>(history.values.size());
        options.offset_changes = TRY(offset_changes_of(question.time_zone, history.begin, end + question.horizon));
    }
    if (!question.holidays.empty()) {
        const std::string csv = TRY(read_file(question.holidays, limits::kAnalyzeCsvBytesMax));
        options.special_days = TRY(forecast::parse_special_days(question.holidays.filename().native(), csv));
    }
    if (std::ranges::any_of(history.values, [](double value) { return value < 0; }))
        options.lowest = -std::numeric_limits<double>::infinity();
    return options;
}

ChartLine measured_line(const forecast::History& history) {
    ChartLine past{.name = "measured", .css_class = "production", .points = {}};
    const auto shown =
        std::min<std::size_t>(history.values.size(), static_cast<std::size_t>(kShownBefore / history.step));
    for (std::size_t i = history.values.size() - shown; i < history.values.size(); ++i)
        past.points.push_back({history.begin + history.step * static_cast<std::int64_t>(i), history.values[i]});
    return past;
}

}  // namespace penumbra::cli
