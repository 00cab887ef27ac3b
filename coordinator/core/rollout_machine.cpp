#include "coordinator/core/rollout_machine.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"
#include "coordinator/core/commands.hpp"
#include "coordinator/core/rollout_run.hpp"
#include "coordinator/core/trial_judge.hpp"

namespace penumbra::coordinator {

namespace {
using model::RolloutState;

/// Ended ones are kept for listings, the oldest make room.
void prune(Fleet& fleet) {
    while (fleet.rollouts.size() > limits::kRolloutsListedMax) {
        auto oldest = fleet.rollouts.end();
        for (auto rollout = fleet.rollouts.begin(); rollout != fleet.rollouts.end(); ++rollout) {
            const bool older =
                oldest == fleet.rollouts.end() || rollout->second.status.ended < oldest->second.status.ended;
            if (rollout->second.status.state == RolloutState::kEnded && older) oldest = rollout;
        }
        if (oldest == fleet.rollouts.end()) return;
        fleet.rollouts.erase(oldest);
    }
}

Result<void> check(const Fleet& fleet, const model::RolloutSpec& spec) {
    if (model::class_of(spec.change) != model::EffectClass::kChange) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("'{}' is no change: only changes are rolled out", model::kind_of(spec.change)));
    }
    if (spec.verify >= spec.lease) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a lease of {} s runs out before {} s of verification are over", spec.lease.count(),
                                spec.verify.count()));
    }
    for (const model::KpiSpec& guard : spec.guards) {
        if (!guard.objective.has_value()) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("the guard '{}' needs an objective: production has no twin", guard.kpi));
        }
    }
    for (const auto& [id, other] : fleet.rollouts) {
        if (other.status.state == RolloutState::kEnded) continue;
        if (id == spec.rollout)
            return fail(ErrorCode::kAlreadyExists, fmt::format("rollout '{}' runs already", id.text()));
        if (other.status.spec.group == spec.group) {
            return fail(ErrorCode::kConflict, fmt::format("rollout '{}' works on group '{}': wait, or abort it",
                                                          id.text(), spec.group.text()));
        }
    }
    const auto shadow = fleet.shadows.find(spec.trial.shadow);
    if (shadow == fleet.shadows.end())
        return fail(ErrorCode::kNotFound, fmt::format("there is no shadow '{}'", spec.trial.shadow.text()));
    if (shadow->second.status.spec.group != spec.group) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("shadow '{}' is not of group '{}'", spec.trial.shadow.text(), spec.group.text()));
    }
    return check_rules(spec.trial);
}

Result<std::vector<model::RolloutTarget>> targets_of(const Fleet& fleet, const model::RolloutSpec& spec) {
    std::vector<std::vector<VmId>> waves = spec.waves;
    if (waves.empty()) waves.push_back({VmId(spec.group.text())});
    std::vector<model::RolloutTarget> targets;
    for (std::uint32_t wave = 0; wave < waves.size(); ++wave) {
        for (const VmId& vm : waves[wave]) {
            const Host* host = host_of(fleet, vm.text());
            if (host == nullptr) {
                return fail(ErrorCode::kNotFound,
                            fmt::format("no host has a VM '{}': see `penumbra vm list`", vm.text()));
            }
            targets.push_back({.vm = vm, .host = host->record.host, .wave = wave});
        }
    }
    if (targets.empty()) return fail(ErrorCode::kInvalidArgument, "a rollout needs a VM");
    return targets;
}

Result<RolloutRecord*> find(Fleet& fleet, const RolloutId& rollout) {
    const auto found = fleet.rollouts.find(rollout);
    if (found == fleet.rollouts.end())
        return fail(ErrorCode::kNotFound, fmt::format("there is no rollout '{}'", rollout.text()));
    return &found->second;
}

}  // namespace

Result<RolloutId> start_rollout(Turn& turn, model::RolloutSpec spec, std::string asked_by) {
    spec.trial.kind = model::TrialKind::kChange;
    spec.trial.effect = spec.change;
    spec.trial.effect->lease = std::max(spec.lease, spec.trial.settle + spec.trial.measure + limits::kEffectSlack);
    if (spec.trial.trial.empty()) spec.trial.trial = TrialId("rollout-" + spec.rollout.text());
    TRY(check(turn.fleet, spec));
    std::vector<model::RolloutTarget> targets = TRY(targets_of(turn.fleet, spec));
    const HostId shadow_host = turn.fleet.shadows.at(spec.trial.shadow).host;
    const RolloutId id = spec.rollout;
    RolloutRecord& record = turn.fleet.rollouts[id];
    record = {.status = {.spec = std::move(spec), .targets = std::move(targets), .begun = turn.at.wall},
              .shadow_host = shadow_host,
              .asked_by = std::move(asked_by)};
    record.status.trial = record.status.spec.trial.trial;
    RolloutRun(turn, record).begin();
    prune(turn.fleet);
    return id;
}

Result<void> confirm_rollout(Turn& turn, const RolloutId& rollout, std::string_view user) {
    RolloutRecord* record = TRY(find(turn.fleet, rollout));
    if (record->status.state != RolloutState::kAwaitingConfirm || record->status.outcome.has_value()) {
        return fail(ErrorCode::kConflict, fmt::format("rollout '{}' is {}: it does not wait for a confirmation",
                                                      rollout.text(), model::to_string(record->status.state)));
    }
    turn.tell("rollout_confirmed", "rollout:" + rollout.text(), "an operator confirmed it", std::string(user));
    RolloutRun(turn, *record).confirm();
    return {};
}

Result<void> abort_rollout(Turn& turn, const RolloutId& rollout, std::string_view user) {
    RolloutRecord* record = TRY(find(turn.fleet, rollout));
    if (record->status.outcome.has_value()) {
        return fail(ErrorCode::kConflict, fmt::format("rollout '{}' is {} already", rollout.text(),
                                                      model::to_string(*record->status.outcome)));
    }
    RolloutRun(turn, *record).abort(fmt::format("{} aborted it", user));
    return {};
}

void advance_rollouts(Turn& turn) {
    std::vector<RolloutId> running;
    for (const auto& [id, record] : turn.fleet.rollouts) {
        if (record.status.state != RolloutState::kEnded) running.push_back(id);
    }
    for (const RolloutId& id : running) {
        RolloutRun run(turn, turn.fleet.rollouts.at(id));
        while (run.advance()) {
        }
    }
}

}  // namespace penumbra::coordinator
