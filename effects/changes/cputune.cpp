#include "effects/changes/cputune.hpp"

#include <fmt/format.h>

#include "effects/changes/domain_vectors.hpp"

namespace penumbra::effects {

Result<Image> CpuTuneChange::read(const model::EffectSpec& /*spec*/, const Site& site) {
    const VmId vm(site.domain);
    // Asked in one call whether it runs: an error about the live layer alone could be a daemon that is down.
    const hypervisor::DomainConfiguration configuration = TRY(tuning_.configuration(vm));
    Image image{.persistent = values_of(TRY(tuning_.scheduler(vm, hypervisor::Layer::kPersistent)))};
    if (!configuration.scheduler.empty()) image.live = values_of(configuration.scheduler);
    return image;
}

Result<Image> CpuTuneChange::intend(const model::EffectSpec& spec, const Site& /*site*/, const Image& before) {
    const auto& action = std::get<model::CpuTune>(spec.action);
    if (action.parameters.empty()) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("effect {} changes no parameter", spec.id.text()));
    }
    Image after = before;
    for (const auto& [name, value] : action.parameters) {
        if (!before.live->contains(name)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("domain.cputune knows no parameter '{}' on this host", name));
        }
        (*after.live)[name] = fmt::to_string(value);
        if (spec.target.is_production()) after.persistent[name] = fmt::to_string(value);
    }
    return after;
}

Result<void> CpuTuneChange::write(const model::EffectSpec& /*spec*/, const Site& site, Layer layer,
                                  const Values& values) {
    return tuning_.set_scheduler(VmId(site.domain), TRY(scheduler_of(values)),
                                 layer == Layer::kLive ? hypervisor::Layer::kLive : hypervisor::Layer::kPersistent);
}

Result<std::string> CpuTuneChange::fingerprint(const model::EffectSpec& /*spec*/, const Site& site) {
    return domain_fingerprint(tuning_, site.domain);
}

Result<Values> CpuTuneChange::evidence(const model::EffectSpec& /*spec*/, const Site& /*site*/) {
    return Values{};
}

}  // namespace penumbra::effects
