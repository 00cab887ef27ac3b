#include "agent/core/ceiling.hpp"

#include <algorithm>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "base/limits/effects.hpp"

namespace penumbra::agent {

namespace {

using model::Ceiling;
using model::Rejection;
using Verdict = std::optional<Refusal>;

Refusal by_policy(std::string message) {
    return {.rejection = Rejection::kPolicy, .message = std::move(message)};
}

Verdict needs(Ceiling ceiling, const OnThisHost& host) {
    if (host.policy.ceiling >= ceiling) return std::nullopt;
    return by_policy(fmt::format("this host's ceiling is '{}' and this needs '{}': root may raise it in policy.toml",
                                 model::to_string(host.policy.ceiling), model::to_string(ceiling)));
}

/// `name` is a libvirt name or a UUID. Nothing: it is not here.
const model::VmFacts* find_vm(std::string_view name, const OnThisHost& host) {
    const auto found = std::ranges::find_if(
        host.facts.vms, [&](const model::VmFacts& vm) { return vm.vm.text() == name || vm.name == name; });
    return found == host.facts.vms.end() ? nullptr : &*found;
}

Verdict needs_vm(std::string_view name, const OnThisHost& host) {
    const model::VmFacts* vm = find_vm(name, host);
    if (vm == nullptr) {
        return Refusal{.rejection = Rejection::kPrecondition,
                       .message = fmt::format("there is no VM '{}' on this host", name)};
    }
    if (takes_part(host.policy, *vm)) return std::nullopt;
    return by_policy(fmt::format("VM '{}' does not take part on this host: root may add it to policy.toml", vm->name));
}

/// Its volumes may be copied.
Verdict needs_copies(std::string_view name, const OnThisHost& host) {
    const model::VmFacts* vm = find_vm(name, host);
    const std::string why = vm == nullptr ? "it is not on this host" : why_not_copied(host.policy, *vm);
    if (why.empty()) return std::nullopt;
    return by_policy(fmt::format("VM '{}' cannot be cloned: {}", name, why));
}

Verdict needs_shadow(const ShadowId& shadow, const ArmId& arm, const OnThisHost& host) {
    const auto found = std::ranges::find_if(
        host.shadows, [&](const model::ShadowStatus& status) { return status.spec.shadow == shadow; });
    const bool has_arm = found != host.shadows.end() &&
                         (arm.empty() || std::ranges::find(found->spec.arms, arm) != found->spec.arms.end());
    if (has_arm) return std::nullopt;
    return Refusal{
        .rejection = Rejection::kPrecondition,
        .message = fmt::format("there is no arm '{}' of a shadow '{}' on this host", arm.text(), shadow.text())};
}

Verdict needs_kind(const model::EffectSpec& effect, const OnThisHost& host) {
    const std::string kind(model::kind_of(effect));
    if (host.policy.effect_kinds.contains("*") || host.policy.effect_kinds.contains(kind)) return std::nullopt;
    return by_policy(
        fmt::format("effects of kind '{}' are not allowed on this host: root may add it to policy.toml", kind));
}

/// The first refusal of several rules.
Verdict first(std::initializer_list<Verdict> rules) {
    for (const Verdict& rule : rules) {
        if (rule.has_value()) return rule;
    }
    return std::nullopt;
}

Verdict refusal_of_effect(const model::EffectSpec& effect, const OnThisHost& host) {
    const model::EffectTarget& target = effect.target;
    const bool on_production = target.shadow.empty() || target.arm.empty();
    const model::EffectClass effect_class = model::class_of(effect);
    if (effect_class == model::EffectClass::kHold)
        return by_policy("a hold is the host's own: nobody may order one over the wire");
    if (effect_class == model::EffectClass::kFault && on_production) {
        return by_policy(fmt::format("'{}' is a fault and VM '{}' is production: faults are for arms of a shadow only",
                                     model::kind_of(effect), target.vm.text()));
    }
    if (effect.lease < limits::kLeaseMin || effect.lease > limits::kLeaseMax) {
        return Refusal{
            .rejection = Rejection::kPrecondition,
            .message = fmt::format("a lease of {} s is not between {} s and {} s", effect.lease.count(),
                                   limits::kLeaseMin.count(), std::chrono::seconds(limits::kLeaseMax).count())};
    }
    if (on_production)
        return first({needs(Ceiling::kChange, host), needs_kind(effect, host), needs_vm(target.vm.text(), host)});
    return first(
        {needs(Ceiling::kShadow, host), needs_kind(effect, host), needs_shadow(target.shadow, target.arm, host)});
}

Verdict needs_standing(const EffectId& effect, const OnThisHost& host) {
    const bool known =
        std::ranges::any_of(host.effects, [&](const model::EffectStatus& status) { return status.id == effect; });
    if (known) return std::nullopt;
    return Refusal{.rejection = Rejection::kPrecondition,
                   .message = fmt::format("this host knows of no effect '{}'", effect.text())};
}

struct Rules {
    const OnThisHost& host;

    Verdict operator()(const model::ReplicateGroup& op) const {
        return first(
            {needs(Ceiling::kReplicate, host), needs_vm(op.group.text(), host), needs_copies(op.group.text(), host)});
    }
    Verdict operator()(const model::CreateShadow& op) const {
        if (!host.policy.may_run_shadows)
            return by_policy("shadows may not run on this host: root may allow it in policy.toml");
        return first({needs(Ceiling::kShadow, host), needs_vm(op.shadow.group.text(), host),
                      needs_copies(op.shadow.group.text(), host)});
    }
    Verdict operator()(const model::StartReplay& op) const {
        return first({needs(Ceiling::kShadow, host), needs_shadow(op.shadow, ArmId(), host)});
    }
    Verdict operator()(const model::ProbeIsolation& op) const {
        return first({needs(Ceiling::kShadow, host), needs_shadow(op.shadow, op.arm, host)});
    }
    Verdict operator()(const model::ApplyEffect& op) const { return refusal_of_effect(op.effect, host); }
    Verdict operator()(const model::ConfirmEffect& op) const {
        return first({needs(Ceiling::kChange, host), needs_standing(op.effect, host)});
    }
    Verdict operator()(const model::InspectVm& op) const {
        if (!op.shadow.empty()) return needs_shadow(op.shadow, op.arm, host);
        return needs_vm(op.vm.text(), host);
    }
    // What only takes away what is ours is never refused.
    Verdict operator()(const model::RevertEffect&) const { return std::nullopt; }
    Verdict operator()(const model::DestroyShadow&) const { return std::nullopt; }
    Verdict operator()(const model::StopReplay&) const { return std::nullopt; }
    Verdict operator()(const model::CleanHost&) const { return std::nullopt; }
};

}  // namespace

bool takes_part(const model::Policy& policy, const model::VmFacts& vm) {
    return policy.vms.contains("*") || policy.vms.contains(vm.name) || policy.vms.contains(vm.vm.text());
}

bool puts_on_host(const model::Operation& operation) noexcept {
    return std::holds_alternative<model::ReplicateGroup>(operation) ||
           std::holds_alternative<model::CreateShadow>(operation) ||
           std::holds_alternative<model::StartReplay>(operation) ||
           std::holds_alternative<model::ApplyEffect>(operation) ||
           std::holds_alternative<model::ConfirmEffect>(operation);
}

std::string why_not_copied(const model::Policy& policy, const model::VmFacts& vm) {
    const auto encrypted = std::ranges::find(vm.disks, true, &model::DiskFacts::encrypted);
    if (policy.plaintext_replicas || encrypted == vm.disks.end()) return {};
    return fmt::format(
        "disk {} is encrypted by the host and its copies would not be: root allows that by "
        "`plaintext_replicas = true` in /etc/penumbra/policy.toml",
        encrypted->target);
}

std::optional<Refusal> refusal_of(const model::Operation& operation, const OnThisHost& host) {
    return std::visit(Rules{host}, operation);
}

}  // namespace penumbra::agent
