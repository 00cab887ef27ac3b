#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/judge/kpi.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::judge {

/// Whether a KPI decides, or only stands in the evidence.
enum class Role : unsigned char { kDecides, kReported };

/// When a KPI counts as harmed. `margin` is the effect that must be excluded for a PASS: relative (0.2 is 20 % more),
/// or for the error rate a difference of shares. An effect below `harm_min` never fails; 0 means half of the margin.
struct KpiRule {
    Kpi kpi = Kpi::kResponseTimeMean;
    double margin = 0.2;
    double harm_min = 0;
    Role role = Role::kDecides;
};

/// An absolute limit on the treated arm: trips when `breaches` of any `of` windows in a row lie above it. FAIL; INVALID
/// when the control arm breaks it too.
struct GuardRule {
    Kpi kpi = Kpi::kErrorRate;
    double limit = 0;
    unsigned breaches = 3;
    unsigned of = 5;
};

/// What the data must be before anything is judged by it.
struct QualityRule {
    double coverage_min = 0.9;     ///< share of the windows that both arms have
    double lost_share_max = 0.05;  ///< exchanges that replay or capture, not the arm, lost
    double input_skew_max = 0.1;   ///< difference of the arms' input, relative
};

struct LabRules {
    std::vector<KpiRule> kpis;  ///< empty: default_kpis()
    std::vector<GuardRule> guards;
    QualityRule quality;
    double alpha_fail = 0.01;  ///< P(FAIL | no effect), over all KPIs together
    double alpha_pass = 0.05;  ///< P(PASS | an effect of the margin)
};

/// Mean response time 20 %, its 95 % quantile 30 %, error rate one point; guest CPU and disk reported.
[[nodiscard]] std::vector<KpiRule> default_kpis();

/// The same stretch of time in both arms; order and gaps do not matter, all windows have one length.
struct TwinWindows {
    std::span<const model::KpiWindow> control;
    std::span<const model::KpiWindow> treated;
};

/// One trial or the shadow half of a rollout. `before` (the same arms, before the change) may be empty: then the twins
/// are taken as equal, as an A/A trial must have shown; with it, their own difference is taken off and checked.
struct TwinRun {
    TwinWindows before;
    TwinWindows after;
    std::uint64_t windows_expected = 0;  ///< of `after`; 0: from the first window of either arm to the last
};

/// The lab-v1 judge. Data quality first (INVALID, or INCONCLUSIVE below the coverage), then guards, then a paired block
/// test a KPI (see block_test.hpp; the error rate by exact counts, or against a baseline by the difference of its
/// changes), Holm over the KPIs that decide. FAIL: p <= alpha_fail and effect >= harm_min; PASS: every upper bound <
/// margin; else INCONCLUSIVE with what is missing. Each effective n counts windows: n over the autocorrelation time, or
/// over how much worse than binomial errors scatter; the verdict's is the least of the KPIs that decide. Both rates hold
/// for windows correlated up to 0.95 and 30 to 480 of them: 1,000 runs a cell, worst false FAIL 5.0 %, worst false PASS
/// 5.1 % at 5 % (rates_table_test.cpp); what correlation takes is answers, not their truth. Deterministic.
/// O(n log n) in windows. Errors: kInvalidArgument for rules without meaning or windows of different length.
[[nodiscard]] Result<model::Verdict> judge_twins(const LabRules& rules, const TwinRun& run);

/// Noise the plan must live with, as an A/A trial measures it.
struct Noise {
    double pair_deviation = 0.3;      ///< of log(treated / control) of one window
    double autocorrelation_time = 1;  ///< windows; of errors, how much worse than binomial they scatter
    double error_share = 0;           ///< of control, for the error rate
    double requests = 0;              ///< of one arm in a window, for the error rate
};

/// Windows of each arm (after, and the same before when `with_before`) such that an effect of `effect` FAILs, and none
/// PASSes, each with probability `power`, for one KPI rule among the rules' deciding ones.
struct PlanRequest {
    KpiRule rule;
    Noise noise;
    double effect = 0.3;
    double power = 0.95;
    enum class Baseline : unsigned char { kNone, kSameLength } baseline = Baseline::kNone;
};
[[nodiscard]] Result<std::uint64_t> plan_windows(const LabRules& rules, const PlanRequest& request);

}  // namespace penumbra::analysis::judge
