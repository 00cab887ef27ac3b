#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/judge/kpi.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/trial.hpp"
#include "proto/model/verdict.hpp"

/// What a trial's windows say, by analysis/judge and analysis/capacity. Pure: the same windows, the same verdict.
namespace penumbra::coordinator {

/// The windows of one stretch of a trial, in both arms.
struct ArmWindows {
    std::vector<model::KpiWindow> control;
    std::vector<model::KpiWindow> treated;
};

/// An objective as a person wrote it (milliseconds, share, cores), in the unit that the judge counts in.
[[nodiscard]] double in_unit_of_judge(analysis::judge::Kpi kpi, double objective) noexcept;

[[nodiscard]] model::Verdict verdict_without_data(model::VerdictKind kind, std::string reason);

/// Why these rules cannot judge anything; checked before a trial begins. Errors: kInvalidArgument.
[[nodiscard]] Result<void> check_rules(const model::TrialSpec& spec);

/// The treated arm against its twin. `before` may be empty; `length` is how long `after` should be, 0: as long as it
/// is. An own failure is INVALID, never a PASS.
[[nodiscard]] model::Verdict judge_arms(const model::TrialSpec& spec, const ArmWindows& before, const ArmWindows& after,
                                        std::chrono::seconds length);

/// The sentence of the always-valid guard when harm is sure already; empty while it is not.
[[nodiscard]] std::string sure_harm(const model::TrialSpec& spec, const ArmWindows& after);

/// A load trial so far: a verdict for each step, and one over all of them that says which objective broke at which
/// multiple, or up to which it was held.
struct LoadJudgement {
    std::vector<model::Verdict> steps;
    model::Verdict overall;
};
/// `treated` holds the windows of each step, in the order of spec.load_multiples; there may be fewer steps so far.
[[nodiscard]] LoadJudgement judge_load(const model::TrialSpec& spec,
                                       const std::vector<std::vector<model::KpiWindow>>& treated);

}  // namespace penumbra::coordinator
