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

using analysis::capacity::LoadCurve;
using analysis::capacity::ScalingLaw;
using analysis::capacity::StepOutcome;
using analysis::forecast::Backtest;
using analysis::forecast::ForecastResult;
using analysis::forecast::ForecastStep;
using analysis::forecast::JointForecast;
using analysis::forecast::Rival;
using analysis::forecast::RivalScore;

constexpr int kJsonIndent = 2;
constexpr std::size_t kRowsShown = 24;
constexpr std::size_t kLawUnknowns = 3;

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

std::string_view word_of(StepOutcome outcome) {
    switch (outcome) {
        case StepOutcome::kHeld:
            return "held";
        case StepOutcome::kBroken:
            return "broken";
        case StepOutcome::kUnclear:
            return "unclear";
        case StepOutcome::kFaulty:
            return "faulty";
    }
    return "?";
}

Json json_of(const ScalingLaw& law) {
    const auto peak = law.peak();
    return {{"lambda", law.lambda},
            {"contention", law.sigma},
            {"coherency", law.kappa},
            {"peak_size", peak ? Json(*peak) : Json()},
            {"peak_per_second", peak ? Json(law.at(*peak)) : Json()}};
}

Json json_of(double size, const LoadCurve& curve) {
    Json steps = Json::array();
    for (const auto& step : curve.steps) {
        steps.push_back({{"offered_per_second", step.offered_per_second},
                         {"throughput_per_second", step.throughput_per_second},
                         {"latency_ms", step.latency_ms},
                         {"latency_bounds_ms", {step.latency_low_ms, step.latency_high_ms}},
                         {"rows", step.rows},
                         {"outcome", word_of(step.outcome)}});
    }
    Json queue;
    if (curve.queue) {
        queue = {{"service_ms", curve.queue->service_ms},
                 {"limit_per_second", curve.queue->limit_per_second},
                 {"relative_error", curve.queue->error}};
    }
    return {{"size", size > 0 ? Json(size) : Json()},
            {"capacity_per_second", curve.capacity_per_second ? Json(*curve.capacity_per_second) : Json()},
            {"saturation_per_second", curve.saturation_per_second},
            {"knee_per_second", curve.knee_per_second},
            {"reason", curve.reason},
            {"scaling_law_in_flight", curve.in_flight ? json_of(*curve.in_flight) : Json()},
            {"queue", queue},
            {"steps", steps}};
}

/// A law that goes through all its points leaves no residual to make an interval from.
bool has_interval(const CapacityFindings& findings) {
    return findings.curves.size() > kLawUnknowns;
}

Json json_of(const CapacityFindings& findings) {
    Json json{{"curves", Json::array()},
              {"scaling_law_by_size", findings.law ? json_of(*findings.law) : Json()},
              {"at_size", Json()}};
    for (const auto& [size, curve] : findings.curves)
        json["curves"].push_back(json_of(size, curve));
    json["next_steps"] = Json::array();
    for (const auto& step : findings.next_steps) {
        json["next_steps"].push_back({{"size", step.size > 0 ? Json(step.size) : Json()},
                                      {"offered_per_second", step.offered_per_second},
                                      {"bits", step.bits},
                                      {"minutes", step.minutes},
                                      {"bits_per_minute", step.bits_per_minute},
                                      {"capacity_between", {step.low, step.high}},
                                      {"reason", step.reason}});
    }
    if (findings.shadow_size) {
        json["shadow_size"] = {{"size", findings.shadow_size->size ? Json(*findings.shadow_size->size) : Json()},
                               {"reason", findings.shadow_size->reason}};
    }
    if (findings.answer) {
        json["at_size"] = {
            {"size", findings.asked_size},
            {"throughput_per_second", findings.answer->throughput},
            {"interval",
             has_interval(findings) ? Json({findings.answer->interval.low, findings.answer->interval.high}) : Json()},
            {"confidence", findings.answer->interval.confidence},
            {"explanation", findings.answer->explanation}};
    }
    return json;
}

std::string law_text(const ScalingLaw& law, std::string_view of) {
    const auto peak = law.peak();
    const std::string most = peak ? fmt::format("most {:.5g} a second at {:.4g} {}", law.at(*peak), *peak, of)
                             : law.sigma > 0 ? fmt::format("never above {:.5g} a second", law.lambda / law.sigma)
                                             : "no limit seen";
    return fmt::format("scaling law: {:.5g} a second at 1 {}, contention {:.3g}, coherency {:.3g}; {}", law.lambda, of,
                       law.sigma, law.kappa, most);
}

std::string text_of(double size, const LoadCurve& curve) {
    std::string text = size > 0 ? fmt::format("size {:g}: ", size) : "";
    text += curve.capacity_per_second ? fmt::format("capacity {:.5g} a second", *curve.capacity_per_second)
                                      : std::string("no step held");
    text += fmt::format(", knee at {:.5g}, saturation {:.5g}\n  {}\n", curve.knee_per_second,
                        curve.saturation_per_second, curve.reason);
    Table table({"OFFERED", "ANSWERED", "LATENCY", "BOUNDS", "ROWS", "STEP"});
    for (const auto& step : curve.steps) {
        table.add({fmt::format("{:.5g}", step.offered_per_second), fmt::format("{:.5g}", step.throughput_per_second),
                   fmt::format("{:.4g} ms", step.latency_ms),
                   fmt::format("{:.4g} .. {:.4g}", step.latency_low_ms, step.latency_high_ms),
                   fmt::format("{}", step.rows), std::string(word_of(step.outcome))});
    }
    text += table.text();
    if (curve.queue) {
        text += fmt::format("queue: {:.4g} ms of service, no end of latency at {:.5g} a second (fit off by {:.1f} %)\n",
                            curve.queue->service_ms, curve.queue->limit_per_second, 100 * curve.queue->error);
    }
    if (curve.in_flight) text += law_text(*curve.in_flight, "in flight") + "\n";
    return text;
}

std::vector<std::string> quantile_headings(const std::vector<double>& quantiles) {
    std::vector<std::string> headings{"AT"};
    for (const double quantile : quantiles)
        headings.push_back(fmt::format("Q{:g}", quantile * 100));
    return headings;
}

std::vector<double> peaks_of(const std::vector<ForecastStep>& steps) {
    std::vector<double> peaks = steps.front().values;
    for (const ForecastStep& step : steps) {
        for (std::size_t q = 0; q < peaks.size(); ++q)
            peaks[q] = std::max(peaks[q], step.values[q]);
    }
    return peaks;
}

/// Adds at most kRowsShown of the steps; returns which share of them: every so many.
std::size_t add_steps(Table& table, const std::vector<ForecastStep>& steps) {
    const std::size_t every = (steps.size() + kRowsShown - 1) / kRowsShown;
    for (std::size_t i = every; i <= steps.size() && every > 0; i += every)
        table.add(row_of(iso_time(steps[i - 1].at), steps[i - 1].values));
    return every;
}

}  // namespace

std::string render(const JointForecast& joint, const std::vector<std::string>& names, Format format) {
    const std::vector<double>& quantiles = joint.each.front().quantiles;
    if (format == Format::kJson) {
        Json sum = Json::array();
        for (const ForecastStep& step : joint.sum)
            sum.push_back({{"at", iso_time(step.at)}, {"values", step.values}});
        Json each = Json::object();
        for (std::size_t i = 0; i < names.size(); ++i)
            each[names[i]] = json_of(joint.each[i]);
        return json_text({{"quantiles", quantiles},
                          {"explanation", joint.explanation},
                          {"paths", joint.paths},
                          {"sum", sum},
                          {"each", each}});
    }
    Table table(quantile_headings(quantiles));
    for (std::size_t i = 0; i < names.size(); ++i)
        table.add(row_of("peak of " + names[i], peaks_of(joint.each[i].steps)));
    table.add(row_of("peak of the sum", peaks_of(joint.sum)));
    const std::size_t every = add_steps(table, joint.sum);
    std::string text = joint.explanation + "\n" + table.text();
    if (every > 1) text += fmt::format("each {} steps a row; -o json has all {}\n", every, joint.sum.size());
    return text;
}

std::string render(const ForecastResult& forecast, Format format) {
    if (format == Format::kJson) return json_text(json_of(forecast));
    Table table(quantile_headings(forecast.quantiles));
    std::vector<std::string> coverage{"past coverage"};
    for (const double share : forecast.past_coverage)
        coverage.push_back(percent_text(share));
    table.add(coverage);
    if (!forecast.steps.empty()) table.add(row_of("peak", peaks_of(forecast.steps)));
    const std::size_t every = add_steps(table, forecast.steps);
    std::string text = forecast.explanation + "\n" + table.text();
    text += forecast.checked > 0
                ? fmt::format("past coverage: the share of {} checked forecasts at or under each quantile\n",
                              forecast.checked)
                : "past coverage is not known yet: no forecast could be checked\n";
    if (every > 1) text += fmt::format("each {} steps a row; -o json has all {}\n", every, forecast.steps.size());
    return text;
}

std::string render(const KayentaJudgement& judgement, Format format) {
    if (format == Format::kJson) {
        Json json{{"judge", "kayenta-v1"},
                  {"verdict", to_string(judgement.kind)},
                  {"reason", judgement.reason},
                  {"score", judgement.score},
                  {"metrics", Json::array()}};
        for (const auto& [name, result, control, treated] : judgement.metrics) {
            json["metrics"].push_back({{"metric", name},
                                       {"label", to_string(result.label)},
                                       {"mean_ratio", result.effect},
                                       {"shift", {result.low, result.high}},
                                       {"control_values", control},
                                       {"treated_values", treated}});
        }
        return json_text(json);
    }
    Table table({"METRIC", "LABEL", "MEAN RATIO", "SHIFT", "CONTROL", "TREATED"});
    for (const auto& [name, result, control, treated] : judgement.metrics) {
        table.add({name, std::string(to_string(result.label)), fmt::format("{:.4g}", result.effect),
                   fmt::format("{:.4g} .. {:.4g}", result.low, result.high), fmt::format("{}", control),
                   fmt::format("{}", treated)});
    }
    return fmt::format("verdict: {}, kayenta-v1 score {:g}\n  {}\n{}", to_string(judgement.kind), judgement.score,
                       judgement.reason, table.text());
}

std::string render(const CapacityFindings& findings, Format format) {
    if (format == Format::kJson) return json_text(json_of(findings));
    std::string text;
    for (const auto& [size, curve] : findings.curves)
        text += text_of(size, curve);
    if (findings.law) text += fmt::format("over sizes: {}\n", law_text(*findings.law, "size"));
    if (findings.answer && !has_interval(findings)) {
        text += fmt::format(
            "at size {:g}: {:.5g} a second; no interval is known, the law goes through all {} sizes: "
            "measure at more\n",
            findings.asked_size, findings.answer->throughput, findings.curves.size());
    } else if (findings.answer) {
        text += fmt::format("at size {:g}: {:.5g} a second ({:.5g} to {:.5g} at {:.0f} %); {}\n", findings.asked_size,
                            findings.answer->throughput, findings.answer->interval.low, findings.answer->interval.high,
                            100 * findings.answer->interval.confidence, findings.answer->explanation);
    }
    if (findings.shadow_size) text += fmt::format("shadow: {}\n", findings.shadow_size->reason);
    for (const auto& step : findings.next_steps) {
        text += fmt::format("next{}: offer {:.4g} a second; {}\n",
                            findings.curves.size() > 1 ? fmt::format(" at size {:g}", step.size) : "",
                            step.offered_per_second, step.reason);
    }
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
