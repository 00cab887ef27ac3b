#include "coordinator/core/trial_judge.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "analysis/capacity/staircase.hpp"
#include "analysis/judge/abort_guard.hpp"
#include "analysis/judge/lab_v1.hpp"
#include "analysis/judge/pairing.hpp"

namespace penumbra::coordinator {

namespace {
namespace judge = analysis::judge;
namespace capacity = analysis::capacity;
using model::VerdictKind;

constexpr double kMicrosecondsPerMillisecond = 1000;
constexpr double kAbortAlpha = 0.001;  ///< P(a trial without an effect is aborted), over all its KPIs

Result<judge::LabRules> rules_of(const model::TrialSpec& spec) {
    judge::LabRules rules{.alpha_pass = 1 - spec.confidence};
    for (const model::KpiSpec& wanted : spec.kpis) {
        const judge::Kpi kpi = TRY(judge::kpi_from_string(wanted.kpi));
        rules.kpis.push_back({.kpi = kpi, .margin = wanted.margin});
        if (wanted.objective.has_value())
            rules.guards.push_back({.kpi = kpi, .limit = in_unit_of_judge(kpi, *wanted.objective)});
    }
    if (rules.kpis.empty()) rules.kpis = judge::default_kpis();
    return rules;
}

std::uint64_t expected(std::chrono::milliseconds span, const ArmWindows& windows) {
    for (const auto* arm : {&windows.control, &windows.treated}) {
        if (!arm->empty() && arm->front().length.count() > 0)
            return static_cast<std::uint64_t>(span / arm->front().length);
    }
    return 0;
}

Result<capacity::Objective> objective_of(const model::TrialSpec& spec) {
    capacity::Objective objective{.confidence = spec.confidence};
    for (const model::KpiSpec& wanted : spec.kpis) {
        const judge::Kpi kpi = TRY(judge::kpi_from_string(wanted.kpi));
        if (!wanted.objective.has_value()) continue;
        if (kpi == judge::Kpi::kResponseTimeP95) objective.response_us = in_unit_of_judge(kpi, *wanted.objective);
        if (kpi == judge::Kpi::kErrorRate) objective.error_share = *wanted.objective;
    }
    if (objective.response_us > 0) return objective;
    return fail(ErrorCode::kInvalidArgument,
                "a load trial needs a KPI 'response_time_p95' with an objective in milliseconds");
}

capacity::LoadStep step_of(const std::vector<model::KpiWindow>& windows) {
    std::uint64_t offered = 0;
    std::uint64_t unsent = 0;
    std::chrono::milliseconds length{0};
    for (const model::KpiWindow& window : windows) {
        offered += window.ledger.captured;
        unsent += window.ledger.lost_not_sent;
        length += window.length;
    }
    capacity::LoadStep step{.windows = windows};
    if (length.count() > 0)
        step.offered_per_second = static_cast<double>(offered) * 1000.0 / static_cast<double>(length.count());
    if (offered == 0) {
        step.fault = "nothing was offered";
    } else if (static_cast<double>(unsent) > judge::QualityRule{}.lost_share_max * static_cast<double>(offered)) {
        step.fault = fmt::format("the replay itself fell behind: {} of {} requests were not sent", unsent, offered);
    }
    return step;
}

VerdictKind kind_of(capacity::StepOutcome outcome) {
    switch (outcome) {
        case capacity::StepOutcome::kHeld:
            return VerdictKind::kPass;
        case capacity::StepOutcome::kBroken:
            return VerdictKind::kFail;
        case capacity::StepOutcome::kUnclear:
            return VerdictKind::kInconclusive;
        case capacity::StepOutcome::kFaulty:
            return VerdictKind::kInvalid;
    }
    return VerdictKind::kInvalid;
}

model::Verdict verdict_of(const capacity::StepEvidence& evidence, double confidence) {
    model::Verdict verdict{.kind = kind_of(evidence.outcome), .reason = evidence.reason, .n = evidence.requests};
    verdict.evidence.push_back(
        {.kpi = "response_time_p95",
         .verdict = verdict.kind,
         .n = evidence.requests,
         .effect = evidence.response_us,
         .interval = {.low = evidence.response_us, .high = evidence.response_upper_us, .confidence = confidence},
         .reason = fmt::format("{:.1f} a second offered, {:.1f} answered, microseconds", evidence.offered_per_second,
                               evidence.answered_per_second)});
    return verdict;
}

model::Verdict overall_of(const model::TrialSpec& spec, const std::vector<model::Verdict>& steps) {
    const auto all = [&](VerdictKind kind) { return std::ranges::find(steps, kind, &model::Verdict::kind); };
    const auto multiple_of = [&](auto step) {
        return spec.load_multiples[static_cast<std::size_t>(step - steps.begin())];
    };
    model::Verdict overall;
    for (const model::Verdict& step : steps)
        overall.n += step.n;
    for (const VerdictKind kind : {VerdictKind::kInvalid, VerdictKind::kFail, VerdictKind::kInconclusive}) {
        const auto step = all(kind);
        if (step == steps.end()) continue;
        overall.kind = kind;
        const auto held = step - steps.begin();
        overall.reason = fmt::format("at {:.2f} times production's rate: {}{}", multiple_of(step), step->reason,
                                     held == 0 ? ""
                                               : fmt::format("; up to {:.2f} times it was held",
                                                             spec.load_multiples[static_cast<std::size_t>(held) - 1]));
        return overall;
    }
    overall.kind = VerdictKind::kPass;
    overall.reason =
        fmt::format("the objective was held at every step up to {:.2f} times production's rate{}",
                    spec.load_multiples[steps.size() - 1],
                    spec.aim.has_value() ? fmt::format(", the forecast's {} quantile", spec.aim->quantile) : "");
    return overall;
}

}  // namespace

double in_unit_of_judge(judge::Kpi kpi, double objective) noexcept {
    const bool time = kpi == judge::Kpi::kResponseTimeMean || kpi == judge::Kpi::kResponseTimeP95 ||
                      kpi == judge::Kpi::kResponseTimeP99;
    return time ? objective * kMicrosecondsPerMillisecond : objective;
}

model::Verdict verdict_without_data(VerdictKind kind, std::string reason) {
    return {.kind = kind, .reason = std::move(reason)};
}

Result<void> check_rules(const model::TrialSpec& spec) {
    if (spec.measure.count() <= 0 || spec.warm_up.count() < 0 || spec.baseline.count() < 0 || spec.settle.count() < 0)
        return fail(ErrorCode::kInvalidArgument, "a trial needs a 'measure' above 0 and no negative time");
    if (!(spec.confidence > 0.5 && spec.confidence < 1))
        return fail(ErrorCode::kInvalidArgument, fmt::format("a confidence of {} is not in (0.5, 1)", spec.confidence));
    if (spec.kind != model::TrialKind::kLoad) {
        TRY(rules_of(spec));
        return {};
    }
    TRY(objective_of(spec));
    const bool rising =
        std::ranges::adjacent_find(spec.load_multiples, std::greater_equal<>{}) == spec.load_multiples.end();
    if (spec.load_multiples.empty() || !rising || spec.load_multiples.front() <= 0)
        return fail(ErrorCode::kInvalidArgument, "a load trial needs multiples above 0 that rise");
    return {};
}

model::Verdict judge_arms(const model::TrialSpec& spec, const ArmWindows& before, const ArmWindows& after,
                          std::chrono::seconds length) {
    const Result<judge::LabRules> rules = rules_of(spec);
    if (!rules.has_value()) return verdict_without_data(VerdictKind::kInvalid, rules.error().describe());
    const judge::TwinRun run{.before = {.control = before.control, .treated = before.treated},
                             .after = {.control = after.control, .treated = after.treated},
                             .windows_expected = expected(length, after)};
    Result<model::Verdict> verdict = judge::judge_twins(*rules, run);
    if (!verdict.has_value()) return verdict_without_data(VerdictKind::kInvalid, verdict.error().describe());
    return std::move(*verdict);
}

std::string sure_harm(const model::TrialSpec& spec, const ArmWindows& after) {
    const Result<judge::LabRules> rules = rules_of(spec);
    const Result<judge::PairedWindows> pairs =
        judge::pair_windows({.control = after.control, .treated = after.treated}, 0);
    if (!rules.has_value() || !pairs.has_value()) return {};  // the verdict says so when its time comes
    const auto deciding = std::ranges::count(rules->kpis, judge::Role::kDecides, &judge::KpiRule::role);
    for (const judge::KpiRule& rule : rules->kpis) {
        if (rule.role != judge::Role::kDecides) continue;
        // Several times the margin: what only just fails is left to the judge, which needs the whole measurement.
        Result<judge::AbortGuard> guard = judge::AbortGuard::create(
            {.kpi = rule.kpi, .harm = 3 * rule.margin, .alpha = kAbortAlpha / static_cast<double>(deciding)});
        if (!guard.has_value()) continue;
        for (std::size_t i = 0; i < pairs->size(); ++i)
            guard->add(pairs->control[i], pairs->treated[i]);
        if (guard->tripped()) return guard->reason();
    }
    return {};
}

LoadJudgement judge_load(const model::TrialSpec& spec, const std::vector<std::vector<model::KpiWindow>>& treated) {
    LoadJudgement judgement;
    const Result<capacity::Objective> objective = objective_of(spec);
    if (!objective.has_value()) {
        judgement.overall = verdict_without_data(VerdictKind::kInvalid, objective.error().describe());
        return judgement;
    }
    // One at a time: evidence comes by rising rate, and what was offered need not have risen with the multiple.
    for (const std::vector<model::KpiWindow>& windows : treated) {
        const capacity::LoadStep step = step_of(windows);
        const Result<capacity::Capacity> measured = capacity::judge_staircase({&step, 1}, *objective);
        judgement.steps.push_back(measured.has_value()
                                      ? verdict_of(measured->steps.front(), spec.confidence)
                                      : verdict_without_data(VerdictKind::kInvalid, measured.error().describe()));
    }
    judgement.overall = judgement.steps.empty() ? verdict_without_data(VerdictKind::kInvalid, "no step was measured")
                                                : overall_of(spec, judgement.steps);
    return judgement;
}

}  // namespace penumbra::coordinator
