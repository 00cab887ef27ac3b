#include "analysis/capacity/trial_advice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analysis/capacity/hindcast.hpp"
#include "analysis/statistics/normal.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

constexpr std::size_t kRates = 400;
constexpr std::size_t kCandidates = 100;

/// Entropy of a yes or no, in bits.
double bits_of(double p) noexcept {
    if (!(p > 0) || !(p < 1)) return 0;
    return -(p * std::log2(p) + (1 - p) * std::log2(1 - p));
}

/// Digamma for x >= 1: the recurrence up to 6, then the asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18);
/// absolute error below 1e-9.
double digamma(double x) noexcept {
    double result = 0;
    for (; x < 6; x += 1)
        result -= 1 / x;
    const double square = 1 / (x * x);
    return result + std::log(x) - 0.5 / x - square * (1.0 / 12 - square * (1.0 / 120 - square / 252));
}

/// Mean entropy of a yes or no whose probability is Beta(a, b), in bits.
double mean_bits(double a, double b) noexcept {
    const double n = a + b;
    const double whole = digamma(n + 1);
    return (a / n * (whole - digamma(a + 1)) + b / n * (whole - digamma(b + 1))) / std::log(2.0);
}

/// What is believed of the capacity of one size.
struct Belief {
    std::vector<double> rates;
    std::vector<double> weights;
    double low = 0;  ///< of the rates
    double high = 0;
    double decided = 1;  ///< share of steps

    [[nodiscard]] double quantile(double level) const {
        double sum = 0;
        for (std::size_t i = 0; i < rates.size(); ++i) {
            sum += weights[i];
            if (sum >= level) return rates[i];
        }
        return rates.back();
    }
};

double geometric(double low, double high, std::size_t i, std::size_t count) {
    return low * std::pow(high / low, static_cast<double>(i) / static_cast<double>(count - 1));
}

double held_at(double offered, double capacity, double blur) noexcept {
    return statistics::normal_cdf(std::log(capacity / offered) / blur);
}

Belief belief_of(std::span<const LoadOutcome> past, double blur) {
    const auto [low, high] = std::ranges::minmax(past, {}, &LoadOutcome::offered_per_second);
    Belief belief{.low = low.offered_per_second / 2, .high = 2 * high.offered_per_second};
    double decided = 0;
    for (std::size_t i = 0; i < kRates; ++i)
        belief.rates.push_back(geometric(belief.low, belief.high, i, kRates));
    // logarithms, so that a thousand steps do not underflow
    std::vector<double> logs(kRates, 0);
    for (const LoadOutcome& step : past) {
        const bool held = step.outcome == StepOutcome::kHeld;
        if (!held && step.outcome != StepOutcome::kBroken) continue;
        decided += 1;
        for (std::size_t i = 0; i < kRates; ++i) {
            const double p = held_at(step.offered_per_second, belief.rates[i], blur);
            logs[i] += std::log(std::max(held ? p : 1 - p, 1e-6));
        }
    }
    belief.decided = (decided + 1) / (static_cast<double>(past.size()) + 1);
    const double most = *std::ranges::max_element(logs);
    double total = 0;
    for (const double log : logs) {
        belief.weights.push_back(std::exp(log - most));
        total += belief.weights.back();
    }
    for (double& weight : belief.weights)
        weight /= total;
    return belief;
}

NextStep best_step(double size, const Belief& belief, const NextStepQuestion& question) {
    NextStep best{.size = size, .low = belief.quantile(0.05), .high = belief.quantile(0.95)};
    for (std::size_t c = 0; c < kCandidates; ++c) {
        const double offered = geometric(belief.low, belief.high, c, kCandidates);
        double held = 0;
        double left = 0;
        for (std::size_t i = 0; i < kRates; ++i) {
            const double p = held_at(offered, belief.rates[i], question.blur);
            held += belief.weights[i] * p;
            left += belief.weights[i] * bits_of(p);
        }
        const double bits = belief.decided * std::max(0.0, bits_of(held) - left);
        const double minutes = question.step_minutes + (1 - held) * question.recover_minutes;
        if (c > 0 && bits / minutes <= best.bits_per_minute) continue;
        best.offered_per_second = offered;
        best.held_probability = held;
        best.bits = bits;
        best.minutes = minutes;
        best.bits_per_minute = bits / minutes;
    }
    best.reason = fmt::format(
        "capacity lies between {:.4g} and {:.4g} a second with 90 %; this step holds with {:.0f} % and tells {:.2f} "
        "bits in {:.1f} min",
        best.low, best.high, 100 * best.held_probability, best.bits, best.minutes);
    return best;
}

bool is_above_zero(double value) noexcept {
    return std::isfinite(value) && value > 0;
}

}  // namespace

Result<std::vector<NextStep>> next_load_steps(const NextStepQuestion& question) {
    if (question.past.empty()) return fail(ErrorCode::kInvalidArgument, "no step of load was tried yet: try any one");
    std::map<double, std::vector<LoadOutcome>> by_size;
    for (const LoadOutcome& step : question.past) {
        if (!is_above_zero(step.size) || !is_above_zero(step.offered_per_second))
            return fail(ErrorCode::kInvalidArgument, "sizes and offered rates must be above 0");
        by_size[step.size].push_back(step);
    }
    if (!is_above_zero(question.step_minutes) || !is_above_zero(question.blur) || !(question.recover_minutes >= 0))
        return fail(ErrorCode::kInvalidArgument, "the minutes of a step and its blur must be above 0");
    std::vector<NextStep> steps;
    for (const auto& [size, past] : by_size)
        steps.push_back(best_step(size, belief_of(past, question.blur), question));
    std::ranges::stable_sort(steps, std::ranges::greater{}, &NextStep::bits_per_minute);
    return steps;
}

Result<std::vector<TrialChoice>> rank_trials(std::span<const TrialRecord> records) {
    std::vector<TrialChoice> choices;
    for (const TrialRecord& record : records) {
        if (!is_above_zero(record.minutes)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("trial \"{}\": a run takes minutes above 0", record.name));
        }
        const double passed = 1 + static_cast<double>(record.passed);
        const double failed = 1 + static_cast<double>(record.failed);
        const double ended = passed + failed - 1;
        const double decided = ended / (ended + static_cast<double>(record.undecided));
        const double bits = decided * std::max(0.0, bits_of(passed / (passed + failed)) - mean_bits(passed, failed));
        choices.push_back(
            {.name = record.name,
             .bits = bits,
             .bits_per_minute = bits / record.minutes,
             .reason = fmt::format("{} passed, {} failed, {} undecided: one more run tells {:.3f} bits "
                                   "in {:.1f} min",
                                   record.passed, record.failed, record.undecided, bits, record.minutes)});
    }
    std::ranges::stable_sort(choices, std::ranges::greater{}, &TrialChoice::bits_per_minute);
    return choices;
}

Result<ShadowSizeAdvice> advise_shadow_size(const ShadowSizeQuestion& question) {
    const auto unsound = [](const SizeHindcast& past) {
        return !is_above_zero(past.ratio) || !std::isfinite(past.relative_error);
    };
    if (question.sizes.empty() || !std::ranges::all_of(question.sizes, is_above_zero) ||
        !is_above_zero(question.production_size) || !is_above_zero(question.error_max) ||
        !(question.confidence > 0 && question.confidence < 1) || std::ranges::any_of(question.past, unsound)) {
        return fail(ErrorCode::kInvalidArgument,
                    "advice on a shadow's size needs sizes, an error above 0 and a confidence between 0 and 1");
    }
    std::vector<double> a_doubling;
    for (const SizeHindcast& past : question.past) {
        const double doublings = std::abs(std::log2(past.ratio));
        if (doublings > 0) a_doubling.push_back(past.relative_error / doublings);
    }
    const auto learnt = hindcast_radius(a_doubling, question.confidence);
    ShadowSizeAdvice advice;
    std::vector<double> sizes(question.sizes.begin(), question.sizes.end());
    std::ranges::sort(sizes);
    for (const double size : sizes) {
        const double ratio = question.production_size / size;
        const double error = learnt.value_or(kErrorADoubling) * std::abs(std::log2(ratio));
        const bool allowed = ratio <= limits::kScaleBeyondMax;
        advice.outlooks.push_back({.size = size, .error = error, .allowed = allowed});
        if (!advice.size && allowed && error <= question.error_max) advice.size = size;
    }
    const std::string basis = learnt ? fmt::format("{} past predictions", a_doubling.size())
                                     : std::string("simulated servers, for want of past predictions");
    const auto chosen =
        std::ranges::find_if(advice.outlooks, [&](const SizeOutlook& one) { return advice.size == one.size; });
    advice.reason =
        advice.size ? fmt::format(
                          "size {:g} is the smallest that foretells size {:g} within {:.0f} % (bound {:.1f} "
                          "%, from {})",
                          *advice.size, question.production_size, 100 * question.error_max, 100 * chosen->error, basis)
                    : fmt::format(
                          "no size that there is room for foretells size {:g} within {:.0f} % (from {}): make "
                          "room for one of {:.3g} at least",
                          question.production_size, 100 * question.error_max, basis,
                          question.production_size /
                              std::min(limits::kScaleBeyondMax,
                                       std::exp2(question.error_max / learnt.value_or(kErrorADoubling))));
    return advice;
}

}  // namespace penumbra::analysis::capacity
