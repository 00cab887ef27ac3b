#include "cli/render/render_analysis.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "cli/render/json_values.hpp"
#include "cli/render/table.hpp"
#include "cli/render/text.hpp"

namespace penumbra::cli {

namespace {

using analysis::forecast::Backtest;
using analysis::forecast::ForecastResult;
using analysis::forecast::ForecastStep;
using analysis::forecast::Rival;
using analysis::forecast::RivalScore;

constexpr int kJsonIndent = 2;
constexpr std::size_t kRowsShown = 24;

std::string json_text(const Json& json) {
    return json.dump(kJsonIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string percent_text(double share) {
    return std::isfinite(share) ? fmt::format("{:.1f} %", share * 100) : "-";
}

std::vector<std::string> row_of(std::string first, const std::vector<double>& values) {
    std::vector<std::string> cells{std::move(first)};
    for (const double value : values)
        cells.push_back(fmt::format("{:.5g}", value));
    return cells;
}

Json json_of(const ForecastResult& forecast) {
    Json steps = Json::array();
    for (const ForecastStep& step : forecast.steps)
        steps.push_back({{"at", iso_time(step.at)}, {"values", step.values}});
    Json shares = Json::array();
    for (const auto& share : forecast.shares)
        shares.push_back({{"member", share.member}, {"up_to_steps", share.up_to_steps}, {"share", share.share}});
    return {{"quantiles", forecast.quantiles},
            {"past_coverage", forecast.past_coverage},  // NaN becomes null: not known
            {"checked", forecast.checked},
            {"regime", analysis::forecast::to_string(forecast.regime)},
            {"points_used", forecast.points_used},
            {"explanation", forecast.explanation},
            {"last_shift", forecast.last_shift ? Json(iso_time(*forecast.last_shift)) : Json()},
            {"shares", shares},
            {"steps", steps}};
}

}  // namespace

std::string render(const ForecastResult& forecast, Format format) {
    if (format == Format::kJson) return json_text(json_of(forecast));
    std::vector<std::string> headings{"AT"};
    for (const double quantile : forecast.quantiles)
        headings.push_back(fmt::format("Q{:g}", quantile * 100));
    Table table(headings);
    std::vector<std::string> coverage{"past coverage"};
    for (const double share : forecast.past_coverage)
        coverage.push_back(percent_text(share));
    table.add(coverage);
    std::vector<double> peaks(forecast.quantiles.size(), -std::numeric_limits<double>::infinity());
    for (const ForecastStep& step : forecast.steps) {
        for (std::size_t q = 0; q < peaks.size(); ++q)
            peaks[q] = std::max(peaks[q], step.values[q]);
    }
    if (!forecast.steps.empty()) table.add(row_of("peak", peaks));
    const std::size_t every = (forecast.steps.size() + kRowsShown - 1) / kRowsShown;
    for (std::size_t i = every; i <= forecast.steps.size() && every > 0; i += every)
        table.add(row_of(iso_time(forecast.steps[i - 1].at), forecast.steps[i - 1].values));
    std::string text = forecast.explanation + "\n" + table.text();
    text += forecast.checked > 0
                ? fmt::format("past coverage: the share of {} checked forecasts at or under each quantile\n",
                              forecast.checked)
                : "past coverage is not known yet: no forecast could be checked\n";
    if (every > 1) text += fmt::format("each {} steps a row; -o json has all {}\n", every, forecast.steps.size());
    return text;
}

std::string render(const Backtest& test, Format format) {
    if (format == Format::kJson) {
        Json json{{"origins", test.origins},
                  {"horizon_steps", test.horizon},
                  {"scored", test.scored},
                  {"first_origin", iso_time(test.first_origin)},
                  {"last_origin", iso_time(test.last_origin)},
                  {"scores", Json::array()}};
        for (std::size_t i = 0; i < test.scores.size(); ++i) {
            const RivalScore& score = test.scores[i];
            json["scores"].push_back({{"method", to_string(static_cast<Rival>(i))},
                                      {"mase", score.mase},
                                      {"q95_coverage", score.coverage},
                                      {"q95_pinball", score.pinball}});
        }
        return json_text(json);
    }
    Table table({"METHOD", "MASE", "Q95 COVERAGE", "Q95 PINBALL"});
    for (std::size_t i = 0; i < test.scores.size(); ++i) {
        const RivalScore& score = test.scores[i];
        table.add({std::string(to_string(static_cast<Rival>(i))), fmt::format("{:.3f}", score.mase),
                   percent_text(score.coverage), fmt::format("{:.4f}", score.pinball)});
    }
    return fmt::format(
        "{} steps ahead from {} moments between {} and {}, {} values; errors in mean changes against a "
        "day before\n{}",
        test.horizon, test.origins, iso_time(test.first_origin), iso_time(test.last_origin), test.scored, table.text());
}

}  // namespace penumbra::cli
