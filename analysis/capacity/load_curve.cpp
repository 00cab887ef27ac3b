#include "analysis/capacity/load_curve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "analysis/statistics/quantile_interval.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

constexpr std::size_t kStepsToFit = 3;

Result<void> check(std::span<const LoadRow> rows, const CurveRules& rules) {
    const auto usable = [](const LoadRow& row) {
        return row.offered_per_second > 0 && row.throughput_per_second >= 0 && row.latency_ms > 0 &&
               std::isfinite(row.offered_per_second + row.throughput_per_second + row.latency_ms);
    };
    if (rows.empty() || rows.size() > limits::kSampleValuesMax || !std::ranges::all_of(rows, usable)) {
        return fail(ErrorCode::kInvalidArgument,
                    "a load curve needs rows with an offered rate and a latency above 0, and a throughput");
    }
    const bool has_meaning = rules.latency_max_ms >= 0 && std::isfinite(rules.latency_max_ms) &&
                             rules.answered_share_min > 0 && rules.answered_share_min <= 1 && rules.confidence > 0.5 &&
                             rules.confidence < 1;
    if (has_meaning) return {};
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a latency of {} ms, {} of the offered load and a confidence of {} cannot all be meant",
                            rules.latency_max_ms, rules.answered_share_min, rules.confidence));
}

CurveStep step_of(double offered, const std::vector<LoadRow>& rows, const CurveRules& rules) {
    std::vector<double> latencies;
    std::vector<double> throughputs;
    for (const LoadRow& row : rows) {
        latencies.push_back(row.latency_ms);
        throughputs.push_back(row.throughput_per_second);
    }
    std::ranges::sort(latencies);
    CurveStep step{.offered_per_second = offered,
                   .throughput_per_second = statistics::median(throughputs),
                   .latency_ms = statistics::median(latencies),
                   .latency_low_ms = latencies.front(),
                   .latency_high_ms = latencies.back(),
                   .rows = rows.size()};
    const auto rank = static_cast<std::size_t>(statistics::upper_bound_rank(rows.size(), 0.5, rules.confidence));
    if (rank > 0) {
        step.latency_high_ms = latencies[rank - 1];
        step.latency_low_ms = latencies[latencies.size() - rank];
    }
    const bool starved = step.throughput_per_second < rules.answered_share_min * offered;
    const bool has_limit = rules.latency_max_ms > 0;
    if (starved || (has_limit && step.latency_low_ms > rules.latency_max_ms)) {
        step.outcome = StepOutcome::kBroken;
    } else if (has_limit && step.latency_high_ms > rules.latency_max_ms) {
        step.outcome = StepOutcome::kUnclear;
    }
    return step;
}

/// 1 / R = 1 / service - x / (service limit) by least squares on R / R-fitted - 1: linear in both unknowns.
std::optional<QueueFit> queue_of(std::span<const CurveStep> steps, const CurveRules& rules) {
    double rr = 0;
    double rx = 0;
    double xx = 0;
    double r = 0;
    double x = 0;
    std::size_t kept = 0;
    for (const CurveStep& step : steps) {
        if (step.throughput_per_second < rules.answered_share_min * step.offered_per_second) continue;
        const double a = step.latency_ms;
        const double b = -step.latency_ms * step.throughput_per_second;
        rr += a * a;
        rx += a * b;
        xx += b * b;
        r += a;
        x += b;
        ++kept;
    }
    const double determinant = rr * xx - rx * rx;
    if (kept < kStepsToFit || !(determinant > 1e-12 * rr * xx)) return std::nullopt;
    const double inverse = (r * xx - x * rx) / determinant;
    const double slope = (x * rr - r * rx) / determinant;
    if (!(inverse > 0)) return std::nullopt;
    QueueFit fit{.service_ms = 1 / inverse,
                 .limit_per_second = slope > 0 ? inverse / slope : std::numeric_limits<double>::infinity()};
    double squares = 0;
    for (const CurveStep& step : steps) {
        if (step.throughput_per_second < rules.answered_share_min * step.offered_per_second) continue;
        const double away = step.latency_ms * (inverse - std::max(0.0, slope) * step.throughput_per_second) - 1;
        squares += away * away;
    }
    fit.error = std::sqrt(squares / static_cast<double>(kept));
    return fit;
}

std::optional<ScalingLaw> law_of(std::span<const CurveStep> steps) {
    std::vector<ScalePoint> points;
    for (const CurveStep& step : steps) {
        if (step.throughput_per_second > 0)
            points.push_back({step.throughput_per_second * step.latency_ms / 1000, step.throughput_per_second});
    }
    if (points.size() < kStepsToFit) return std::nullopt;
    const Result<ScalingLaw> law = fit_scaling_law(points);
    return law.has_value() ? std::optional(*law) : std::nullopt;
}

std::string reason_of(const LoadCurve& curve, const CurveRules& rules) {
    const auto broken =
        std::ranges::find_if_not(curve.steps, [](const CurveStep& step) { return step.outcome == StepOutcome::kHeld; });
    if (broken == curve.steps.end()) {
        return fmt::format("all {} steps held: the capacity is at least the highest of them, offer more to find it",
                           curve.steps.size());
    }
    const std::string at = fmt::format("at {:.4g} a second", broken->offered_per_second);
    if (broken->throughput_per_second < rules.answered_share_min * broken->offered_per_second)
        return fmt::format("{} only {:.4g} were answered", at, broken->throughput_per_second);
    if (broken->outcome == StepOutcome::kBroken)
        return fmt::format("{} the latency is {:.4g} ms, above {:.4g} ms", at, broken->latency_ms,
                           rules.latency_max_ms);
    return fmt::format("{} {} rows do not say whether {:.4g} ms hold (median {:.4g} ms, {:.4g} to {:.4g})", at,
                       broken->rows, rules.latency_max_ms, broken->latency_ms, broken->latency_low_ms,
                       broken->latency_high_ms);
}

}  // namespace

Result<LoadCurve> measure_curve(std::span<const LoadRow> rows, const CurveRules& rules) {
    TRY(check(rows, rules));
    std::map<double, std::vector<LoadRow>> by_rate;
    for (const LoadRow& row : rows)
        by_rate[row.offered_per_second].push_back(row);
    LoadCurve curve;
    double most_power = 0;
    bool holds = true;
    for (const auto& [offered, same] : by_rate) {
        const CurveStep step = step_of(offered, same, rules);
        curve.saturation_per_second = std::max(curve.saturation_per_second, step.throughput_per_second);
        const double power = step.throughput_per_second / step.latency_ms;
        if (power > most_power) {
            most_power = power;
            curve.knee_per_second = offered;
        }
        // what lies above the first step that did not hold is no capacity, even if it held
        holds = holds && step.outcome == StepOutcome::kHeld;
        if (holds) curve.capacity_per_second = offered;
        curve.steps.push_back(step);
    }
    curve.queue = queue_of(curve.steps, rules);
    curve.in_flight = law_of(curve.steps);
    curve.reason = reason_of(curve, rules);
    return curve;
}

}  // namespace penumbra::analysis::capacity
