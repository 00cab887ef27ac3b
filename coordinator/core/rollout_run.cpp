#include "coordinator/core/rollout_run.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "analysis/judge/kpi.hpp"
#include "base/limits/coordinator.hpp"
#include "coordinator/core/commands.hpp"
#include "coordinator/core/trial_judge.hpp"
#include "coordinator/core/trial_machine.hpp"

namespace penumbra::coordinator {

namespace {
using model::EffectState;
using model::RolloutOutcome;
using model::RolloutState;
using model::RolloutTarget;
using model::VerdictKind;

std::string hash_of(const Ending& ending) {
    const auto* inspected = std::get_if<model::Inspected>(&ending.report.outcome);
    return ending.worked() && inspected != nullptr ? inspected->config_hash : std::string();
}

bool stands(const RolloutTarget& target) {
    if (!target.effect_state.has_value()) return false;
    return *target.effect_state != EffectState::kReverted && *target.effect_state != EffectState::kConflict;
}

/// What the report of an effect's command says of the effect; else what the command's own end implies.
void note_effect(RolloutTarget& target, const Ending& ending, EffectState otherwise) {
    const auto* effect = std::get_if<model::EffectStatus>(&ending.report.outcome);
    target.effect_state = effect == nullptr ? otherwise : effect->state;
    if (effect != nullptr && !effect->after_hash.empty()) target.after_hash = effect->after_hash;
    target.reason = effect != nullptr && !effect->reason.empty() ? effect->reason : ending.report.message;
}
}  // namespace

void RolloutRun::to(RolloutState state, std::string reason) {
    waited_enough(turn_, subject());
    status_.state = state;
    status_.reason = std::move(reason);
    turn_.keep(record_);
    turn_.tell("rollout_" + std::string(model::to_string(state)), subject(), status_.reason);
}

bool RolloutRun::send(RolloutState state, const HostId& host, std::string resource, model::Operation operation,
                      std::string reason) {
    Result<CommandId> sent = order(turn_, {.host = host,
                                           .resource = ResourceId(std::move(resource)),
                                           .operation = std::move(operation),
                                           .asked_by = subject()});
    if (!sent.has_value()) {
        status_.reason = sent.error().describe();
        return false;
    }
    record_.pending = *sent;
    to(state, std::move(reason));
    return true;
}

bool RolloutRun::send_to_target(RolloutState state, model::Operation operation, std::string reason) {
    const RolloutTarget aim = target();
    return send(state, aim.host, "vm:" + aim.vm.text(), std::move(operation), std::move(reason));
}

model::InspectVm RolloutRun::treated_arm() const {
    return {.vm = status_.targets.front().vm, .shadow = status_.spec.trial.shadow, .arm = status_.spec.trial.treated};
}

void RolloutRun::begin() {
    status_.target = 0;
    inspect(RolloutState::kInspecting);
}

/// Asks for the hash of the target at hand, before anything or after all.
void RolloutRun::inspect(RolloutState state) {
    if (send_to_target(state, model::InspectVm{.vm = target().vm},
                       fmt::format("the configuration of VM '{}' is hashed", target().vm.text())))
        return;
    if (state == RolloutState::kInspectingFinal) return end();
    decide(RolloutOutcome::kAborted, status_.reason);
}

void RolloutRun::confirm() {
    status_.target = static_cast<std::uint32_t>(std::ranges::find(status_.targets, status_.wave, &RolloutTarget::wave) -
                                                status_.targets.begin());
    confirm_target();
}

void RolloutRun::abort(std::string reason) {
    if (status_.state == RolloutState::kShadowTrial) {
        // One that has its verdict is ending already.
        const Result<void> aborted = abort_trial(turn_, status_.trial, reason);
        static_cast<void>(aborted.has_value());
    }
    decide(RolloutOutcome::kAborted, std::move(reason));
}

/// What it comes to is known; what is done from here on is clean-up.
void RolloutRun::decide(RolloutOutcome outcome, std::string reason) {
    status_.outcome = outcome;
    record_.why = std::move(reason);
    turn_.keep(record_);
    turn_.tell("rollout_" + std::string(model::to_string(outcome)), subject(), record_.why);
    // What was ordered may still be done: its end is waited for first.
    if (record_.pending.empty() && status_.state != RolloutState::kShadowTrial) unwind();
}

void RolloutRun::unwind() {
    if (!record_.drill_effect.empty()) {
        const EffectId effect = record_.drill_effect;
        if (send(RolloutState::kDrillReverting, record_.shadow_host, "shadow:" + status_.spec.trial.shadow.text(),
                 model::RevertEffect{effect}, record_.why + "; the shadow is put back"))
            return;
        record_.drill_effect = EffectId();
    }
    take_back();
}

/// Takes back what stands in production, the latest first; then all is hashed once more.
void RolloutRun::take_back() {
    for (std::size_t i = status_.targets.size(); i-- > 0;) {
        if (!stands(status_.targets[i])) continue;
        status_.target = static_cast<std::uint32_t>(i);
        if (send_to_target(RolloutState::kReverting, model::RevertEffect{target().effect},
                           fmt::format("{}; VM '{}' is put back", record_.why, target().vm.text())))
            return;
        status_.outcome = RolloutOutcome::kRollbackFailed;
        target().reason = status_.reason;
        target().effect_state = EffectState::kConflict;
    }
    status_.target = 0;
    inspect(RolloutState::kInspectingFinal);
}

bool RolloutRun::advance() {
    if (status_.state == RolloutState::kEnded) return false;
    if (!record_.pending.empty()) {
        const std::optional<Ending> ending = ending_of(turn_.fleet, record_.pending);
        if (!ending.has_value()) return false;
        record_.pending = CommandId();
        turn_.keep(record_);
        return command_ended(*ending);
    }
    if (status_.state == RolloutState::kShadowTrial) return shadow_trial();
    if (status_.state == RolloutState::kVerifying || status_.state == RolloutState::kAwaitingConfirm) return standing();
    return false;
}

bool RolloutRun::command_ended(const Ending& ending) {
    switch (status_.state) {
        case RolloutState::kInspecting:
            inspected(ending);
            return true;
        case RolloutState::kInspectingShadow:
            shadow_inspected(ending);
            return true;
        case RolloutState::kDrillApplying:
            drill_applied(ending);
            return true;
        case RolloutState::kDrillReverting:
            drill_reverted(ending);
            return true;
        case RolloutState::kDrillInspecting:
            drill_inspected(ending);
            return true;
        case RolloutState::kApplying:
            applied(ending);
            return true;
        case RolloutState::kConfirming:
            confirmed(ending);
            return true;
        case RolloutState::kReverting:
            reverted(ending);
            return true;
        case RolloutState::kInspectingFinal:
            finally_inspected(ending);
            return true;
        case RolloutState::kShadowTrial:
        case RolloutState::kVerifying:
        case RolloutState::kAwaitingConfirm:
        case RolloutState::kEnded:
            return false;  // these wait for no command
    }
    return false;
}

void RolloutRun::inspected(const Ending& ending) {
    target().before_hash = hash_of(ending);
    if (status_.outcome.has_value()) return unwind();
    if (target().before_hash.empty()) {
        return decide(RolloutOutcome::kAborted,
                      fmt::format("VM '{}' could not be hashed: {}", target().vm.text(), ending.sentence()));
    }
    if (++status_.target < status_.targets.size()) return inspect(RolloutState::kInspecting);
    status_.target = 0;
    const Result<TrialId> trial = start_trial(turn_, status_.spec.trial, status_.spec.rollout, subject());
    if (!trial.has_value())
        return decide(RolloutOutcome::kAborted, "the shadow trial cannot run: " + trial.error().describe());
    to(RolloutState::kShadowTrial, fmt::format("trial '{}' must PASS first", trial->text()));
}

bool RolloutRun::shadow_trial() {
    const auto found = turn_.fleet.trials.find(status_.trial);
    if (found != turn_.fleet.trials.end() && found->second.status.state != model::TrialState::kEnded) return false;
    if (status_.outcome.has_value()) return unwind(), true;
    const model::Verdict verdict = found == turn_.fleet.trials.end()
                                       ? verdict_without_data(VerdictKind::kInvalid, "its record is gone")
                                       : *found->second.status.verdict;
    status_.state = RolloutState::kInspectingShadow;  // nothing is waited for any more
    const std::string says =
        fmt::format("the shadow trial says {}: {}", model::to_string(verdict.kind), verdict.reason);
    if (verdict.kind == VerdictKind::kPass) {
        if (status_.spec.rollback_drill) {
            drill();
        } else {
            apply();
        }
        return true;
    }
    // Neither proven harmless nor tried at all: it does not reach production either way.
    const bool tried = verdict.kind == VerdictKind::kFail || verdict.kind == VerdictKind::kInconclusive;
    return decide(tried ? RolloutOutcome::kRejected : RolloutOutcome::kAborted, says), true;
}

// ---- the drill on the shadow

void RolloutRun::drill() {
    if (!send(RolloutState::kInspectingShadow, record_.shadow_host, "shadow:" + status_.spec.trial.shadow.text(),
              treated_arm(), "the shadow is hashed before the drill"))
        decide(RolloutOutcome::kAborted, status_.reason);
}

void RolloutRun::shadow_inspected(const Ending& ending) {
    status_.drill_before_hash = hash_of(ending);
    if (status_.outcome.has_value()) return unwind();
    if (status_.drill_before_hash.empty())
        return decide(RolloutOutcome::kAborted, "the shadow could not be hashed: " + ending.sentence());
    model::EffectSpec effect = status_.spec.change;
    effect.id = EffectId(turn_.new_name("e"));
    effect.target = {
        .vm = status_.targets.front().vm, .shadow = status_.spec.trial.shadow, .arm = status_.spec.trial.treated};
    effect.lease = status_.spec.lease;
    record_.drill_effect = effect.id;
    if (send(RolloutState::kDrillApplying, record_.shadow_host, "shadow:" + status_.spec.trial.shadow.text(),
             model::ApplyEffect{std::move(effect)}, "the change is applied to the shadow, to be taken back"))
        return;
    record_.drill_effect = EffectId();
    decide(RolloutOutcome::kAborted, status_.reason);
}

void RolloutRun::drill_applied(const Ending& ending) {
    if (ending.never_begun()) record_.drill_effect = EffectId();
    if (status_.outcome.has_value()) return unwind();
    if (!ending.worked())
        return decide(RolloutOutcome::kRejected, "the drill on the shadow could not apply it: " + ending.sentence());
    const EffectId effect = record_.drill_effect;
    if (!send(RolloutState::kDrillReverting, record_.shadow_host, "shadow:" + status_.spec.trial.shadow.text(),
              model::RevertEffect{effect}, "the change is taken back from the shadow"))
        decide(RolloutOutcome::kAborted, status_.reason);
}

void RolloutRun::drill_reverted(const Ending& ending) {
    record_.drill_effect = EffectId();
    if (status_.outcome.has_value()) return take_back();
    if (!ending.worked())
        return decide(RolloutOutcome::kRejected, "the drill could not take it back: " + ending.sentence());
    if (!send(RolloutState::kDrillInspecting, record_.shadow_host, "shadow:" + status_.spec.trial.shadow.text(),
              treated_arm(), "the shadow is hashed after the drill"))
        decide(RolloutOutcome::kAborted, status_.reason);
}

void RolloutRun::drill_inspected(const Ending& ending) {
    status_.drill_after_hash = hash_of(ending);
    if (status_.outcome.has_value()) return unwind();
    if (status_.drill_after_hash != status_.drill_before_hash)
        return decide(RolloutOutcome::kRejected, "the drill did not bring the shadow's configuration back");
    apply();
}

// ---- production

void RolloutRun::apply() {
    model::EffectSpec effect = status_.spec.change;
    effect.id = EffectId(turn_.new_name("e"));
    effect.target = {.vm = target().vm};
    effect.lease = status_.spec.lease;
    target().effect = effect.id;
    status_.wave = target().wave;
    if (!send_to_target(
            RolloutState::kApplying, model::ApplyEffect{std::move(effect)},
            fmt::format("it is applied to VM '{}' for {} s", target().vm.text(), status_.spec.lease.count())))
        decide(RolloutOutcome::kAborted, status_.reason);
}

void RolloutRun::applied(const Ending& ending) {
    if (ending.never_begun()) {
        target().reason = ending.sentence();
        if (status_.outcome.has_value()) return unwind();
        const bool earlier = std::ranges::any_of(status_.targets, stands);
        return decide(earlier ? RolloutOutcome::kRolledBack : RolloutOutcome::kRejected,
                      fmt::format("VM '{}': {}", target().vm.text(), ending.sentence()));
    }
    // A failed one may stand in part: it is taken back like one that worked.
    note_effect(target(), ending, ending.worked() ? EffectState::kApplied : EffectState::kFailed);
    if (status_.outcome.has_value()) return unwind();
    if (!ending.worked()) {
        return decide(RolloutOutcome::kRolledBack,
                      fmt::format("VM '{}' could not be changed: {}", target().vm.text(), ending.sentence()));
    }
    if (!stands(target())) {
        const bool back = target().effect_state == EffectState::kReverted;
        return decide(back ? RolloutOutcome::kRolledBack : RolloutOutcome::kRollbackFailed,
                      fmt::format("VM '{}': {}", target().vm.text(), target().reason));
    }
    record_.verify_from = ending.report.at;
    const std::uint32_t next = status_.target + 1;
    if (next < status_.targets.size() && status_.targets[next].wave == status_.wave) {
        status_.target = next;
        return apply();
    }
    verify();
}

void RolloutRun::verify() {
    to(RolloutState::kVerifying, fmt::format("it stands and is watched for {} s", status_.spec.verify.count()));
}

bool RolloutRun::guards_covered() const {
    const model::TrialSpan span{.from = record_.verify_from, .to = record_.verify_from + status_.spec.verify};
    return status_.spec.guards.empty() || turn_.fleet.kpi.covers({.group = status_.spec.group}, span);
}

std::string RolloutRun::broken_guard() const {
    namespace judge = analysis::judge;
    const model::TrialSpan span{.from = record_.verify_from, .to = record_.verify_from + status_.spec.verify};
    const auto windows = turn_.fleet.kpi.within({.group = status_.spec.group}, span);
    for (const model::KpiSpec& guard : status_.spec.guards) {
        const Result<judge::Kpi> kpi = judge::kpi_from_string(guard.kpi);
        if (!kpi.has_value()) return kpi.error().describe();
        const std::optional<double> value = judge::kpi_value(*kpi, windows);
        const double limit = in_unit_of_judge(*kpi, *guard.objective);
        if (!value.has_value())
            return fmt::format("production answered nothing that '{}' could be measured by", guard.kpi);
        if (*value > limit)
            return fmt::format("production's {} is {:.4g}, over its limit of {:.4g}", guard.kpi, *value, limit);
    }
    return {};
}

/// It stands in production, unconfirmed.
bool RolloutRun::standing() {
    for (RolloutTarget& one : status_.targets) {
        if (one.wave != status_.wave) continue;
        const model::EffectStatus* effect = effect_on(turn_.fleet, one.host, one.effect);
        if (!ended_by_itself(effect)) continue;
        one.effect_state = effect->state;
        one.reason = effect->reason;
        const bool back = effect->state == EffectState::kReverted;
        decide(back ? RolloutOutcome::kRolledBack : RolloutOutcome::kRollbackFailed,
               fmt::format("host '{}' {} VM '{}': {}", one.host.text(),
                           back ? "took it back by itself from" : "could not take it back from", one.vm.text(),
                           effect->reason));
        return true;
    }
    if (status_.outcome.has_value()) return unwind(), true;
    if (status_.state != RolloutState::kVerifying) return false;
    if (!waited(turn_, target().host, subject(), status_.spec.verify)) return false;
    if (!guards_covered()) {
        if (!waited(turn_, target().host, subject(), status_.spec.verify + limits::kKpiGrace)) return false;
        return decide(RolloutOutcome::kRolledBack, "production's KPIs did not come while it was watched"), true;
    }
    if (std::string broken = broken_guard(); !broken.empty())
        return decide(RolloutOutcome::kRolledBack, std::move(broken)), true;
    if (status_.spec.confirm_by == model::ConfirmBy::kOperator) {
        to(RolloutState::kAwaitingConfirm, "it waits for an operator to confirm it before its lease runs out");
    } else {
        confirm();
    }
    return true;
}

void RolloutRun::confirm_target() {
    if (!send_to_target(RolloutState::kConfirming, model::ConfirmEffect{target().effect},
                        fmt::format("it becomes persistent on VM '{}'", target().vm.text())))
        decide(RolloutOutcome::kRolledBack, status_.reason);
}

void RolloutRun::confirmed(const Ending& ending) {
    if (ending.worked()) {
        note_effect(target(), ending, EffectState::kConfirmed);
    } else if (const auto* effect = effect_on(turn_.fleet, target().host, target().effect); ended_by_itself(effect)) {
        target().effect_state = effect->state;
        target().reason = effect->reason;
    }
    if (status_.outcome.has_value()) return unwind();
    if (!ending.worked() || target().effect_state != EffectState::kConfirmed) {
        const bool conflict = target().effect_state == EffectState::kConflict;
        return decide(conflict ? RolloutOutcome::kRollbackFailed : RolloutOutcome::kRolledBack,
                      fmt::format("VM '{}' could not be confirmed: {}", target().vm.text(), ending.sentence()));
    }
    const std::uint32_t next = status_.target + 1;
    if (next < status_.targets.size() && status_.targets[next].wave == status_.wave) {
        status_.target = next;
        return confirm_target();
    }
    next_wave();
}

void RolloutRun::next_wave() {
    if (status_.target + 1 < status_.targets.size()) {
        ++status_.target;
        return apply();
    }
    status_.target = 0;
    status_.outcome = RolloutOutcome::kSucceeded;
    record_.why = "it was verified, confirmed and is persistent";
    inspect(RolloutState::kInspectingFinal);
}

void RolloutRun::reverted(const Ending& ending) {
    const auto* effect = std::get_if<model::EffectStatus>(&ending.report.outcome);
    const bool conflict = (effect != nullptr && effect->state == EffectState::kConflict) ||
                          (!ending.worked() && ending.report.error_code == ErrorCode::kConflict);
    const bool back = ending.worked() && !conflict;
    const model::EffectStatus* seen = effect_on(turn_.fleet, target().host, target().effect);
    // A host that knows nothing of it never began it, or took it back so long ago that it forgot.
    const bool gone = (seen != nullptr && seen->state == EffectState::kReverted) ||
                      (!ending.worked() && ending.report.error_code == ErrorCode::kNotFound);
    target().effect_state = back || gone ? EffectState::kReverted : EffectState::kConflict;
    target().reason = effect != nullptr && !effect->reason.empty() ? effect->reason : ending.report.message;
    if (!back && !gone) {
        status_.outcome = RolloutOutcome::kRollbackFailed;
        record_.why += fmt::format("; VM '{}' could not be taken back: {}", target().vm.text(), ending.sentence());
    }
    take_back();
}

void RolloutRun::finally_inspected(const Ending& ending) {
    target().final_hash = hash_of(ending);
    if (target().final_hash.empty()) target().reason += "; it could not be hashed at the end: " + ending.sentence();
    if (++status_.target < status_.targets.size()) return inspect(RolloutState::kInspectingFinal);
    status_.target = 0;
    end();
}

void RolloutRun::end() {
    std::string reason;
    for (const RolloutTarget& one : status_.targets) {
        const bool moved = !one.final_hash.empty() && !one.before_hash.empty() && one.final_hash != one.before_hash;
        if (status_.outcome == RolloutOutcome::kSucceeded || !moved) continue;
        if (one.effect_state.has_value()) status_.outcome = RolloutOutcome::kRollbackFailed;
        reason += fmt::format("; the configuration of VM '{}' is not what it was", one.vm.text());
    }
    status_.ended = turn_.at.wall;
    to(RolloutState::kEnded, record_.why + reason);
}

}  // namespace penumbra::coordinator
