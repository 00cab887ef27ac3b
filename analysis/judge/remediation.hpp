#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/judge/lab_v1.hpp"
#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::judge {

/// What a remedy did to a fault that both arms were given and only the treated arm was remedied of.
enum class Remediation : std::uint8_t {
    kFixes,     ///< the fault shows in control; in treated less than the margin of it remains; no other KPI is harmed,
                ///< which takes a PASS of all of them
    kPartial,   ///< it is less in treated for sure, but more than the margin may remain; the others as for kFixes
    kNoEffect,  ///< an improvement worth the name is excluded
    kHarmful,   ///< worse than the fault alone, or another KPI is harmed
    kNotReproduced,  ///< a fault of its least size is excluded in control: nothing was tried
    kInconclusive,
};
/// "FIXES", "PARTIAL", "NO_EFFECT", "HARMFUL", "NOT_REPRODUCED", "INCONCLUSIVE".
[[nodiscard]] std::string_view to_string(Remediation kind) noexcept;

struct RemediationRules {
    Kpi signal = Kpi::kResponseTimeMean;  ///< what the fault harms; the next two are shares where it is the error rate
    double fault_min = 0.2;         ///< the fault is reproduced where control's effect lies above it with 1 - alpha
    double remaining_max = 0.1;     ///< effect against its own baseline that treated may keep and count as fixed
    double improvement_min = 0.25;  ///< share of the fault whose exclusion means NO_EFFECT
    double alpha = 0.05;            ///< of each decision
    LabRules others;                ///< KPIs that must not be harmed; the signal among them is left out
};

struct RemediationVerdict {
    Remediation kind = Remediation::kInconclusive;
    std::string reason;
    bool reproduced = false;    ///< control shows the fault for sure
    double fault = 0;           ///< effect of the fault in control
    double remaining = 0;       ///< and in treated, each against its own baseline
    model::Interval recovered;  ///< share of the fault that the remedy took away, 1 is all of it
    std::vector<model::KpiEvidence> others;
};

/// Judges a run: `run.before` both arms healthy, `run.after` both under the same fault, treated with the remedy. Both
/// are needed. Errors: those of judge_twins; kInvalidArgument for rules without meaning.
[[nodiscard]] Result<RemediationVerdict> judge_remediation(const RemediationRules& rules, const TwinRun& run);

/// One production host's windows before and after a change; of a control host, of the same time without it.
struct HostWindows {
    std::vector<model::KpiWindow> before;
    std::vector<model::KpiWindow> after;
};
/// Difference in differences for a canary in production: its change over time against that of control hosts of the same
/// failure domain and load band, window by window, their windows taken together (drift that all share cancels). The
/// rules are lab-v1's, without its demand that both sides got the same input. Errors: as judge_twins, and
/// kInvalidArgument without a control host or without windows before.
[[nodiscard]] Result<model::Verdict> judge_production(const LabRules& rules, const HostWindows& canary,
                                                      const std::vector<HostWindows>& controls);

}  // namespace penumbra::analysis::judge
