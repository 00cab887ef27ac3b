#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/capacity/staircase.hpp"
#include "base/result.hpp"

/// What to measure next, and on how large a shadow, from what past trials brought. Pure and deterministic.
namespace penumbra::analysis::capacity {

/// A step of load that was tried at a size.
struct LoadOutcome {
    double size = 1;
    double offered_per_second = 0;
    StepOutcome outcome = StepOutcome::kHeld;
};

struct NextStepQuestion {
    std::span<const LoadOutcome> past;
    double step_minutes = 2;     ///< of a step, its warm-up included
    double recover_minutes = 2;  ///< after a step that was broken
    double blur = 0.05;          ///< relative width within which a step's outcome is chance
};

/// The step that tells most a minute about the capacity of one size.
struct NextStep {
    double size = 1;
    double offered_per_second = 0;
    double held_probability = 0;
    double bits = 0;  ///< expected to be learnt of the capacity's logarithm
    double minutes = 0;
    double bits_per_minute = 0;
    double low = 0;  ///< capacity lies between with 90 %, by what is known now
    double high = 0;
    std::string reason;  ///< one sentence
};

/// For each size the step to offer next, the most telling first. What is believed of a capacity is a distribution over
/// 400 rates, even in the logarithm between half of the lowest and twice the highest that was offered at that size; a
/// step at rate x holds with probability Phi(ln(c / x) / blur). Bits are the mutual information of the outcome and the
/// capacity (Lindley, Ann. Math. Stat. 27, 1956), times the share of past steps that decided anything; minutes count
/// the recovery after a broken step as often as it is expected. O(sizes * 400 * steps). Errors: kInvalidArgument for no
/// step, or a number not above 0.
[[nodiscard]] Result<std::vector<NextStep>> next_load_steps(const NextStepQuestion& question);

/// One kind of trial (a fault, a change, a load) and how its runs ended.
struct TrialRecord {
    std::string name;
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t undecided = 0;  ///< INCONCLUSIVE, INVALID, ABORTED
    double minutes = 0;         ///< of one run, in the mean
};

struct TrialChoice {
    std::string name;
    double bits = 0;  ///< expected of one more run
    double bits_per_minute = 0;
    std::string reason;
};

/// Kinds of trial, the most telling a minute first; ties keep the order given. The next outcome of a kind that passed
/// p and failed f times tells, under Beta(1 + p, 1 + f), H(mean) - E[H] bits of its true rate, times the share of its
/// runs that decided, (p + f + 1) / (p + f + undecided + 1). Errors: kInvalidArgument for minutes not above 0.
[[nodiscard]] Result<std::vector<TrialChoice>> rank_trials(std::span<const TrialRecord> records);

/// How well production was foretold from a shadow `ratio` times smaller.
struct SizeHindcast {
    double ratio = 1;
    double relative_error = 0;
};

struct ShadowSizeQuestion {
    double production_size = 0;
    std::span<const double> sizes;  ///< there is room for
    std::span<const SizeHindcast> past;
    double error_max = 0.15;  ///< relative, that must be kept
    double confidence = 0.9;
};

/// What is to be expected of one size.
struct SizeOutlook {
    double size = 0;
    double error = 0;      ///< bound at the confidence
    bool allowed = false;  ///< no further from production than can be extrapolated
};

struct ShadowSizeAdvice {
    std::optional<double> size;         ///< the smallest that keeps the error; none: not one does
    std::vector<SizeOutlook> outlooks;  ///< by rising size
    std::string reason;
};

/// The smallest shadow from which production can be foretold well enough. An error is taken to grow with the doublings
/// between the two: the bound is that of hindcast_radius over past errors a doubling, times the doublings; with too few
/// hindcasts kErrorADoubling, what simulated servers showed. Beyond limits::kScaleBeyondMax nothing is foretold.
/// Errors: kInvalidArgument for no size, or a number that is not above 0.
[[nodiscard]] Result<ShadowSizeAdvice> advise_shadow_size(const ShadowSizeQuestion& question);

/// 90 % bound of the bench's simulated servers (capacity_error_p90 0.086 from a half and a quarter), rounded up.
inline constexpr double kErrorADoubling = 0.09;

}  // namespace penumbra::analysis::capacity
