#pragma once

// Internal to proto/codec: each message of proto/{verdict,trial,rollout}.proto, once, for reading and writing.

#include "base/limits/wire.hpp"
#include "proto/codec/schema_host.hpp"
#include "proto/model/rollout.hpp"
#include "proto/model/trial.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::codec {

template <>
inline constexpr auto kLastOf<model::VerdictKind> = model::VerdictKind::kAborted;
template <>
inline constexpr auto kLastOf<model::TrialKind> = model::TrialKind::kLoad;
template <>
inline constexpr auto kLastOf<model::TrialState> = model::TrialState::kEnded;
template <>
inline constexpr auto kLastOf<model::ConfirmBy> = model::ConfirmBy::kOperator;
template <>
inline constexpr auto kLastOf<model::RolloutState> = model::RolloutState::kEnded;
template <>
inline constexpr auto kLastOf<model::RolloutOutcome> = model::RolloutOutcome::kRollbackFailed;

// ---- verdict.proto
void fields(auto& v, model::Interval& interval) {
    v(1, "interval low", interval.low);
    v(2, "interval high", interval.high);
    v.between(3, "interval confidence", interval.confidence, 0, 1);
}
void fields(auto& v, model::KpiEvidence& evidence) {
    v(1, "evidence kpi", evidence.kpi);
    v(2, "evidence verdict", evidence.verdict);
    v(3, "evidence n", evidence.n);
    v(4, "evidence effective n", evidence.effective_n);
    v(5, "evidence effect", evidence.effect);
    v(6, "evidence interval", evidence.interval);
    v.between(7, "evidence p", evidence.p_value, 0, 1);
    v.between(8, "evidence power", evidence.power, 0, 1);
    v(9, "evidence margin", evidence.margin);
    v(10, "evidence reason", evidence.reason);
}
void fields(auto& v, model::Verdict& verdict) {
    v(1, "verdict", verdict.kind);
    v(2, "verdict reason", verdict.reason);
    v(3, "verdict n", verdict.n);
    v(4, "verdict effective n", verdict.effective_n);
    v.between(5, "verdict power", verdict.power, 0, 1);
    v.list(6, "verdict evidence", verdict.evidence, limits::kKpisPerVerdictMax);
    v(7, "verdict more needed", verdict.more_needed);
}

// ---- trial.proto
void fields(auto& v, model::KpiSpec& spec) {
    v(1, "kpi", spec.kpi);
    v(2, "kpi margin", spec.margin);
    v(3, "kpi objective", spec.objective);
}
void fields(auto& v, model::ForecastAim& aim) {
    v.between(1, "forecast quantile", aim.quantile, 0, 1);
    v(2, "forecast horizon", aim.horizon);
    v(3, "forecast steps", aim.steps);
}
void fields(auto& v, model::TrialSpec& spec) {
    v.maybe(1, "trial", spec.trial);
    v.maybe(2, "trial shadow", spec.shadow);
    v(3, "trial kind", spec.kind);
    v.maybe(4, "trial control", spec.control);
    v.maybe(5, "trial treated", spec.treated);
    v(6, "trial warm-up", spec.warm_up);
    v(7, "trial baseline", spec.baseline);
    v(8, "trial settle", spec.settle);
    v(9, "trial measure", spec.measure);
    v(10, "trial window", spec.window);
    v.between(11, "trial share", spec.share, 0, 1);
    v.list(12, "trial kpis", spec.kpis, limits::kKpisPerVerdictMax);
    v(13, "trial effect", spec.effect);
    v.numbers(14, "trial load multiples", spec.load_multiples, limits::kLoadStepsMax);
    v(15, "trial aim", spec.aim);
    v.between(16, "trial confidence", spec.confidence, 0, 1);
    v.between(17, "trial power", spec.power, 0, 1);
    v(18, "trial seed", spec.seed);
}
void fields(auto& v, model::TrialSpan& span) {
    v(1, "span from", span.from);
    v(2, "span to", span.to);
}
void fields(auto& v, model::LoadStep& step) {
    v(1, "load step multiple", step.multiple);
    v(2, "load step span", step.span);
    v(3, "load step verdict", step.verdict);
}
void fields(auto& v, model::TrialStatus& status) {
    v(1, "trial spec", status.spec);
    v.maybe(2, "trial group", status.group);
    v.maybe(3, "trial host", status.host);
    v(4, "trial state", status.state);
    v(5, "trial begun", status.begun);
    v(6, "trial ended", status.ended);
    v(7, "trial baseline", status.baseline);
    v(8, "trial measured", status.measured);
    v(9, "trial A/A verdict", status.aa);
    v(10, "trial verdict", status.verdict);
    v.list(11, "trial load steps", status.load, limits::kLoadStepsMax);
    v(12, "trial reason", status.reason);
}

// ---- rollout.proto
void fields(auto& v, model::RolloutSpec& spec) {
    v(1, "rollout", spec.rollout);
    v(2, "rollout group", spec.group);
    v(3, "rollout change", spec.change);
    v(4, "rollout trial", spec.trial);
    v(5, "rollout drill", spec.rollback_drill);
    v(6, "rollout lease", spec.lease);
    v(7, "rollout verify", spec.verify);
    v.list(8, "rollout guards", spec.guards, limits::kKpisPerVerdictMax);
    v.list(9, "rollout waves", spec.waves, limits::kWavesMax);
    v(10, "rollout confirm by", spec.confirm_by);
}
void fields(auto& v, model::RolloutTarget& target) {
    v(1, "target vm", target.vm);
    v.maybe(2, "target host", target.host);
    v(3, "target wave", target.wave);
    v.maybe(4, "target effect", target.effect);
    v(5, "target effect state", target.effect_state);
    v.text(6, "target before-hash", target.before_hash, limits::kHashTextBytesMax);
    v.text(7, "target after-hash", target.after_hash, limits::kHashTextBytesMax);
    v.text(8, "target final hash", target.final_hash, limits::kHashTextBytesMax);
    v(9, "target reason", target.reason);
}
void fields(auto& v, model::RolloutStatus& status) {
    v(1, "rollout spec", status.spec);
    v(2, "rollout state", status.state);
    v(3, "rollout outcome", status.outcome);
    v(4, "rollout reason", status.reason);
    v.maybe(5, "rollout trial", status.trial);
    v.text(6, "drill before-hash", status.drill_before_hash, limits::kHashTextBytesMax);
    v.text(7, "drill after-hash", status.drill_after_hash, limits::kHashTextBytesMax);
    v.list(8, "rollout targets", status.targets, limits::kRolloutTargetsMax);
    v(9, "rollout target", status.target);
    v(10, "rollout wave", status.wave);
    v(11, "rollout begun", status.begun);
    v(12, "rollout ended", status.ended);
}

}  // namespace penumbra::codec
