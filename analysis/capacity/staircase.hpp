#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis::capacity {

/// One step of a load trial: what was offered, and the windows measured meanwhile. `fault` as load_step_fault says.
struct LoadStep {
    double offered_per_second = 0;
    std::span<const model::KpiWindow> windows;
    std::string fault;
};

/// What must hold: the quantile of the response time, and the share of failed requests.
struct Objective {
    double quantile = 0.95;
    double response_us = 0;
    double error_share = 0.01;
    double confidence = 0.95;  ///< of the upper bounds that are held against both
};

enum class StepOutcome : std::uint8_t { kHeld, kBroken, kUnclear, kFaulty };

struct StepEvidence {
    double offered_per_second = 0;
    double answered_per_second = 0;
    std::uint64_t requests = 0;
    double response_us = 0;        ///< the quantile itself
    double response_upper_us = 0;  ///< its upper bound; +inf when there are too few requests
    double error_share = 0;
    double error_upper = 0;
    StepOutcome outcome = StepOutcome::kUnclear;
    std::string reason;  ///< one sentence
};

/// What a staircase shows. `capacity` is the highest rate up to which every sound step held; none: not even the lowest
/// did.
struct Capacity {
    std::optional<double> capacity_per_second;
    std::optional<double> broken_at_per_second;  ///< lowest rate that broke an objective
    std::vector<StepEvidence> steps;             ///< by rising rate
    std::string reason;                          ///< one sentence: which step broke which objective, or that all held
};

/// Judges a staircase of load: a step holds when the upper bounds of its quantile (order statistics, any distribution)
/// and of its error share (Clopper-Pearson) lie within the objective; it is broken when the lower bounds lie beyond, or
/// fewer than 95 % of what was offered was answered; else it is unclear and needs longer. Bounds see requests as
/// independent, windows that wander together make them narrower than they should be. Errors: kInvalidArgument for no
/// step or no objective.
[[nodiscard]] Result<Capacity> judge_staircase(std::span<const LoadStep> steps, const Objective& objective);

/// Rates from `present` to `target`, `count` >= 3 of them, rising by one factor: what `peak.toml` climbs.
[[nodiscard]] std::vector<double> staircase_rates(double present, double target, unsigned count);

}  // namespace penumbra::analysis::capacity
