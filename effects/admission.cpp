#include "effects/admission.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits/effects.hpp"

namespace penumbra::effects {

namespace {

model::Ceiling ceiling_needed(const model::EffectSpec& spec) {
    if (!spec.target.is_production()) return model::Ceiling::kShadow;
    return model::class_of(spec) == model::EffectClass::kHold ? model::Ceiling::kReplicate : model::Ceiling::kChange;
}

Result<void> admit_by_policy(const model::EffectSpec& spec, const model::Policy& policy) {
    const std::string kind(model::kind_of(spec));
    if (policy.ceiling < ceiling_needed(spec)) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("{} needs ceiling '{}' in /etc/penumbra/policy.toml; this host allows '{}'", kind,
                                model::to_string(ceiling_needed(spec)), model::to_string(policy.ceiling)));
    }
    const bool is_hold = model::class_of(spec) == model::EffectClass::kHold;
    if (!is_hold && !policy.effect_kinds.contains(kind) && !policy.effect_kinds.contains("*")) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("{} is not among the kinds of effect that /etc/penumbra/policy.toml allows", kind));
    }
    return {};
}

Result<journal::Site> production_site(const model::EffectSpec& spec, const Premises& premises) {
    if (model::class_of(spec) == model::EffectClass::kFault) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("effect {} is a fault aimed at production: faults are done only inside a sandbox",
                                spec.id.text()));
    }
    const auto found = std::ranges::find(premises.vms, spec.target.vm, &ProductionVm::vm);
    if (found == premises.vms.end()) {
        return fail(ErrorCode::kNotFound, fmt::format("no VM {} on this host", spec.target.vm.text()));
    }
    const auto& allowed = premises.policy.vms;
    if (!allowed.contains("*") && !allowed.contains(found->name) && !allowed.contains(found->vm.text())) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("VM {} does not take part: name it in /etc/penumbra/policy.toml", found->name));
    }
    if (model::class_of(spec) == model::EffectClass::kChange && !found->managed_by.empty()) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("VM {0} is managed by {1}: it is cloned and mirrored here, never changed; make the "
                                "change in {1}",
                                found->name, found->managed_by));
    }
    return found->site;
}

bool is_of_production(const std::string& domain, const Premises& premises) {
    return std::ranges::any_of(premises.vms, [&](const ProductionVm& vm) { return vm.site.domain == domain; });
}

Result<journal::Site> sandbox_site(const model::EffectSpec& spec, const Premises& premises) {
    const auto found = std::ranges::find_if(premises.arms, [&](const SandboxedArm& arm) {
        return arm.shadow == spec.target.shadow && arm.arm == spec.target.arm;
    });
    if (found == premises.arms.end()) {
        return fail(ErrorCode::kNotFound, fmt::format("no arm {} of shadow {} stands on this host",
                                                      spec.target.arm.text(), spec.target.shadow.text()));
    }
    if (is_of_production(found->site.domain, premises)) {
        return fail(ErrorCode::kPermissionDenied, fmt::format("arm {} is said to be domain {}, which is production's",
                                                              spec.target.arm.text(), found->site.domain));
    }
    if (const auto* partition = std::get_if<model::Partition>(&spec.action)) {
        for (const std::string& name : partition->interfaces) {
            if (std::ranges::find(found->site.taps, name) != found->site.taps.end()) continue;
            return fail(ErrorCode::kPermissionDenied,
                        fmt::format("interface {} is not a tap of arm {}", name, spec.target.arm.text()));
        }
    }
    return found->site;
}

}  // namespace

Result<journal::Site> admit(const model::EffectSpec& spec, const Premises& premises) {
    TRY(EffectId::parse(spec.id.text()));
    if (spec.lease < limits::kLeaseMin || spec.lease > limits::kLeaseMax) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a lease of {} s is not between {} s and {} s", spec.lease.count(),
                                limits::kLeaseMin.count(), std::chrono::seconds(limits::kLeaseMax).count()));
    }
    journal::Site site =
        TRY(spec.target.is_production() ? production_site(spec, premises) : sandbox_site(spec, premises));
    TRY(admit_by_policy(spec, premises.policy));
    return site;
}

}  // namespace penumbra::effects
