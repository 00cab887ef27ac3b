#include "analysis/capacity/staircase.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/core.h>

#include "analysis/judge/kpi.hpp"
#include "analysis/statistics/binomial.hpp"
#include "analysis/statistics/quantile_interval.hpp"

namespace penumbra::analysis::capacity {

namespace {

constexpr double kAnsweredShareMin = 0.95;

struct Answers {
    std::vector<model::HistogramBucket> sorted;
    std::uint64_t count = 0;
    double seconds = 0;

    explicit Answers(std::span<const model::KpiWindow> windows) {
        for (const auto& window : windows) {
            sorted.insert(sorted.end(), window.response_time.begin(), window.response_time.end());
            seconds += std::chrono::duration<double>(window.length).count();
        }
        std::ranges::sort(sorted, {}, &model::HistogramBucket::value_us);
        for (const auto& bucket : sorted)
            count += bucket.count;
    }

    /// The value at a rank (1-based); +inf beyond the last.
    [[nodiscard]] double at_rank(std::uint64_t rank) const noexcept {
        std::uint64_t seen = 0;
        for (const auto& bucket : sorted) {
            seen += bucket.count;
            if (seen >= rank) return static_cast<double>(bucket.value_us);
        }
        return std::numeric_limits<double>::infinity();
    }
};

/// The lower bound's rank is the upper bound's, seen from the other end.
double lower_bound_us(const Answers& answers, const Objective& objective) {
    const auto from_top = statistics::upper_bound_rank(answers.count, 1 - objective.quantile, objective.confidence);
    return from_top == 0 ? 0 : answers.at_rank(answers.count + 1 - from_top);
}

void decide(StepEvidence& step, const Answers& answers, const Objective& objective, double error_lower) {
    const double lower_us = lower_bound_us(answers, objective);
    const bool slow = objective.response_us > 0 && lower_us > objective.response_us;
    const bool failing = error_lower > objective.error_share;
    const bool starved =
        step.answered_per_second < kAnsweredShareMin * (1 - objective.error_share) * step.offered_per_second;
    const std::string at = fmt::format("at {:.4g} requests a second", step.offered_per_second);
    if (failing) {
        step.outcome = StepOutcome::kBroken;
        step.reason = fmt::format("{} the error share of {:.2f} % is above its objective of {:.2f} %", at,
                                  100 * step.error_share, 100 * objective.error_share);
    } else if (slow) {
        step.outcome = StepOutcome::kBroken;
        step.reason =
            fmt::format("{} the {:g} % quantile of the response time is {:.0f} us, above its objective of {:.0f} us",
                        at, 100 * objective.quantile, step.response_us, objective.response_us);
    } else if (starved) {
        step.outcome = StepOutcome::kBroken;
        step.reason = fmt::format("{} only {:.4g} a second were answered", at, step.answered_per_second);
    } else if (step.error_upper <= objective.error_share &&
               (objective.response_us <= 0 || step.response_upper_us <= objective.response_us)) {
        step.outcome = StepOutcome::kHeld;
        step.reason = fmt::format("{} both objectives held", at);
    } else {
        step.reason = fmt::format("{} {} requests are too few to say whether the objective holds", at, step.requests);
    }
}

Result<StepEvidence> measure(const LoadStep& step, const Objective& objective) {
    StepEvidence evidence{.offered_per_second = step.offered_per_second};
    const Answers answers(step.windows);
    const judge::Attempts attempts = judge::attempts_of(step.windows);
    evidence.requests = attempts.requests;
    if (!step.fault.empty() || attempts.requests == 0 || answers.seconds <= 0) {
        evidence.outcome = StepOutcome::kFaulty;
        evidence.reason = step.fault.empty()
                              ? fmt::format("at {:.4g} requests a second nothing was measured", step.offered_per_second)
                              : step.fault;
        return evidence;
    }
    evidence.answered_per_second = static_cast<double>(answers.count) / answers.seconds;
    const auto rank = static_cast<std::uint64_t>(std::ceil(objective.quantile * static_cast<double>(answers.count)));
    evidence.response_us = answers.count == 0 ? 0 : answers.at_rank(std::max<std::uint64_t>(rank, 1));
    const auto upper = statistics::upper_bound_rank(answers.count, objective.quantile, objective.confidence);
    evidence.response_upper_us = upper == 0 ? std::numeric_limits<double>::infinity() : answers.at_rank(upper);
    const auto share =
        TRY(statistics::clopper_pearson(attempts.failures, attempts.requests, 2 * objective.confidence - 1));
    evidence.error_share = static_cast<double>(attempts.failures) / static_cast<double>(attempts.requests);
    evidence.error_upper = share.high;
    decide(evidence, answers, objective, share.low);
    return evidence;
}

}  // namespace

Result<Capacity> judge_staircase(std::span<const LoadStep> steps, const Objective& objective) {
    const bool has_meaning = objective.quantile > 0 && objective.quantile < 1 && objective.error_share >= 0 &&
                             objective.error_share < 1 && objective.confidence > 0.5 && objective.confidence < 1;
    if (steps.empty() || !has_meaning || !std::isfinite(objective.response_us)) {
        return fail(ErrorCode::kInvalidArgument,
                    "a load trial needs at least one step and an objective between 0 and 1");
    }
    Capacity result;
    for (const auto& step : steps)
        result.steps.push_back(TRY(measure(step, objective)));
    std::ranges::stable_sort(result.steps, {}, &StepEvidence::offered_per_second);
    for (const auto& step : result.steps) {
        if (step.outcome == StepOutcome::kHeld) {
            result.capacity_per_second = step.offered_per_second;
            continue;
        }
        // what lies above the first step that did not hold is no capacity, even if it held: the order of rates is the
        // truth
        if (step.outcome == StepOutcome::kBroken) result.broken_at_per_second = step.offered_per_second;
        result.reason = step.reason;
        return result;
    }
    result.reason =
        fmt::format("all {} steps held, up to {:.4g} requests a second", steps.size(), *result.capacity_per_second);
    return result;
}

std::vector<double> staircase_rates(double present, double target, unsigned count) {
    count = std::max(count, 3U);
    std::vector<double> rates;
    if (!(present > 0) || !(target > 0)) return rates;
    for (unsigned i = 0; i < count; ++i) {
        rates.push_back(present * std::pow(target / present, static_cast<double>(i) / (count - 1)));
    }
    return rates;
}

}  // namespace penumbra::analysis::capacity
