#include "agent/effects_flow.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/inventory_flow.hpp"
#include "base/limits/flows.hpp"
#include "base/limits/wire.hpp"
#include "effects/changes/domain_vectors.hpp"

namespace penumbra::agent {

namespace {

using model::EffectState;

effects::ProductionVm production_of(const model::VmFacts& vm) {
    effects::ProductionVm production{
        .vm = vm.vm, .name = vm.name, .managed_by = vm.managed_by, .site = {.domain = vm.vm.text()}};
    for (const model::NicFacts& nic : vm.nics) {
        if (production.site.bridge.empty()) production.site.bridge = nic.network;
        if (!nic.target.empty()) production.site.taps.push_back(nic.target);
    }
    return production;
}

std::vector<std::string> sentences_of(const std::vector<Error>& errors) {
    std::vector<std::string> sentences;
    for (const Error& error : errors)
        sentences.push_back(error.describe());
    return sentences;
}

}  // namespace

Result<void> EffectsFlow::ready() {
    if (not_recovered_.has_value()) return tl::unexpected(*not_recovered_);
    return {};
}

void EffectsFlow::start() {
    Result<std::vector<Error>> failed = parts_.engine.recover();
    if (!failed.has_value()) {
        not_recovered_ = std::move(failed).error();
        troubles_ = {not_recovered_->describe()};
    } else {
        not_recovered_.reset();
        troubles_ = sentences_of(*failed);
    }
    tell_statuses();
}

void EffectsFlow::tick() {
    if (not_recovered_.has_value()) return start();
    troubles_ = sentences_of(parts_.engine.expire());
    for (const journal::Damaged& file : parts_.engine.damaged())
        troubles_.push_back(fmt::format("the journal's file {} cannot be read: {}", file.name, file.reason));
    forget_old();
    tell_statuses();
}

void EffectsFlow::tell_statuses() {
    std::vector<model::EffectStatus> statuses = parts_.engine.statuses();
    std::vector<std::string> troubles = troubles_;
    for (const model::EffectStatus& status : statuses) {
        if (status.state != EffectState::kConflict) continue;
        troubles.push_back(
            fmt::format("effect {} ended in CONFLICT, put it right by hand: {}", status.id.text(), status.reason));
    }
    if (statuses.size() > limits::kEffectsPerReportMax) statuses.resize(limits::kEffectsPerReportMax);
    parts_.tell(Event(EffectsObserved{std::move(statuses)}));
    parts_.tell(Troubles{.flow = "effects", .sentences = std::move(troubles)});
}

void EffectsFlow::forget_old() {
    std::map<EffectId, Instant> settled;
    for (const model::EffectStatus& status : parts_.engine.statuses()) {
        // A confirmed one can still be reverted, by name.
        if (!journal::is_settled(status.state) || status.state == EffectState::kConfirmed) continue;
        const auto known = settled_since_.find(status.id);
        const Instant since = known != settled_since_.end() ? known->second : parts_.clock.now();
        if (parts_.clock.now() - since < limits::kSettledEffectKept) {
            settled.emplace(status.id, since);
        } else if (const Result<void> gone = parts_.engine.forget(status.id); !gone.has_value()) {
            troubles_.push_back(gone.error().describe());
        }
    }
    settled_since_ = std::move(settled);
}

Result<effects::Premises> EffectsFlow::premises() {
    effects::Premises premises{.policy = TRY(parts_.policy()), .arms = arms_};
    for (const model::VmFacts& vm : TRY(parts_.inventory.list_vms()))
        premises.vms.push_back(production_of(vm));
    return premises;
}

std::optional<model::EffectStatus> EffectsFlow::status(const EffectId& effect) const {
    for (model::EffectStatus& status : parts_.engine.statuses())
        if (status.id == effect) return std::move(status);
    return std::nullopt;
}

Result<std::string> EffectsFlow::inspect(const model::InspectVm& order) {
    if (order.shadow.empty()) {
        const model::VmFacts vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), order.vm.text()));
        return effects::domain_fingerprint(parts_.tuning, vm.vm.text());
    }
    for (const effects::SandboxedArm& arm : arms_) {
        if (arm.shadow == order.shadow && arm.arm == order.arm)
            return effects::domain_fingerprint(parts_.tuning, arm.site.domain);
    }
    return fail(ErrorCode::kNotFound,
                fmt::format("no arm {} of shadow {} stands on this host", order.arm.text(), order.shadow.text()));
}

// People name a VM; what is written down and undone names it by its UUID, which a rename leaves as it is.
Result<model::EffectSpec> EffectsFlow::by_uuid(model::EffectSpec effect) {
    if (effect.target.is_production())
        effect.target.vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), effect.target.vm.text())).vm;
    return effect;
}

Result<model::Outcome> EffectsFlow::do_it(const model::Command& command) {
    TRY(ready());
    if (const auto* order = std::get_if<model::ApplyEffect>(&command.operation)) {
        return TRY(parts_.engine.apply(
            {.spec = TRY(by_uuid(order->effect)), .epoch = command.epoch, .command = command.id}, TRY(premises())));
    }
    if (const auto* order = std::get_if<model::ConfirmEffect>(&command.operation))
        return TRY(parts_.engine.confirm(order->effect));
    if (const auto* order = std::get_if<model::RevertEffect>(&command.operation))
        return TRY(parts_.engine.revert(order->effect, "the coordinator ordered it"));
    if (const auto* order = std::get_if<model::InspectVm>(&command.operation))
        return model::Inspected{.config_hash = TRY(inspect(*order))};
    return fail(ErrorCode::kUnsupported,
                fmt::format("this version does not know how to {}", model::name_of(command.operation)));
}

void EffectsFlow::execute(const model::Command& command) {
    const Result<model::Outcome> outcome = do_it(command);
    tell_statuses();
    parts_.tell(Event(WorkerReported{ended(command, outcome, parts_.clock.wall())}));
}

void EffectsFlow::recover(const model::Command& command) {
    // Reading again, and undoing again, do no more than once.
    const bool idempotent = std::holds_alternative<model::RevertEffect>(command.operation) ||
                            std::holds_alternative<model::InspectVm>(command.operation);
    if (idempotent) return execute(command);
    EffectId effect;
    EffectState wanted = EffectState::kVerified;
    if (const auto* order = std::get_if<model::ApplyEffect>(&command.operation)) effect = order->effect.id;
    if (const auto* order = std::get_if<model::ConfirmEffect>(&command.operation)) {
        effect = order->effect;
        wanted = EffectState::kConfirmed;
    }
    const std::optional<model::EffectStatus> known = status(effect);
    if (known.has_value() && known->state == wanted) {
        return parts_.tell(Event(WorkerReported{succeeded(command, *known, parts_.clock.wall())}));
    }
    const Error error{.code = ErrorCode::kCancelled,
                      .message = known.has_value()
                                     ? fmt::format("the agent restarted while it was at work, and effect {} is {}: {}",
                                                   effect.text(), model::to_string(known->state), known->reason)
                                     : fmt::format("the agent restarted before effect {} was begun", effect.text())};
    parts_.tell(Event(WorkerReported{failed(command, error, parts_.clock.wall())}));
}

// ---- holds

Result<void> EffectsFlow::place(const model::EffectSpec& hold) {
    TRY(ready());
    const model::EffectStatus placed = TRY(parts_.engine.apply({.spec = hold}, TRY(premises())));
    if (placed.state == EffectState::kVerified) return {};
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("hold {} was placed before and has ended: {}", hold.id.text(), placed.reason));
}

Result<void> EffectsFlow::prolong(const EffectId& hold, std::chrono::seconds lease) {
    TRY(ready());
    TRY(parts_.engine.extend(hold, lease));
    return {};
}

Result<void> EffectsFlow::lift(const EffectId& hold, const std::string& why) {
    TRY(ready());
    if (!status(hold).has_value()) return {};
    const model::EffectStatus ended = TRY(parts_.engine.revert(hold, why));
    TRY(parts_.engine.forget(hold));
    if (ended.state == EffectState::kReverted) return {};
    return fail(ErrorCode::kConflict,
                fmt::format("hold {} ended as {}: {}", hold.text(), model::to_string(ended.state), ended.reason));
}

Result<void> EffectsFlow::lift_all(const std::string& why) {
    TRY(ready());
    Result<void> all;
    for (const model::EffectStatus& known : parts_.engine.statuses()) {
        Result<void> gone;
        // What was confirmed is the operator's by now: it stays.
        if (!journal::is_settled(known.state)) {
            if (Result<model::EffectStatus> undone = parts_.engine.revert(known.id, why); !undone.has_value())
                gone = tl::unexpected(std::move(undone).error());
        }
        if (gone.has_value()) gone = parts_.engine.forget(known.id);
        also(all, std::move(gone));
    }
    tell_statuses();
    return all;
}

}  // namespace penumbra::agent
