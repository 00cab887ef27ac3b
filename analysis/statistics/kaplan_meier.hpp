#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

/// How long something took (recovery, failover), or how long it was watched without happening.
struct Duration {
    double time = 0;  ///< any unit, >= 0
    bool happened = true;
};

struct SurvivalStep {
    double time = 0;
    double at_risk = 0;
    double events = 0;
    double share = 1;           ///< still waiting after it
    double standard_error = 0;  ///< Greenwood's
    model::Interval interval;   ///< on the log scale, cut at 1, as R's survfit
};

struct Survival {
    std::vector<SurvivalStep> steps;  ///< a row an event time
    std::optional<double> median;     ///< nullopt: more than half never came to it
    [[nodiscard]] double share_after(double time) const noexcept;
};

/// Kaplan and Meier's estimate (JASA 53, 1958) of the share still waiting; runs cut off at a limit count until then.
/// O(n log n). Errors: kInvalidArgument for none, a negative or non-finite time, or confidence outside (0, 1).
[[nodiscard]] Result<Survival> kaplan_meier(std::span<const Duration> durations, double confidence);

}  // namespace penumbra::analysis::statistics
