#include "effects/changes/iotune.hpp"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "effects/changes/domain_vectors.hpp"

namespace penumbra::effects {

namespace {

const std::string& disk_of(const model::EffectSpec& spec) {
    return std::get<model::IoTune>(spec.action).disk;
}

/// libvirt refuses a total beside a read or write limit of the same category; this says so before anything is touched.
Result<void> check_exclusive(const Values& values) {
    for (const std::string_view category : {"bytes_sec", "iops_sec"}) {
        const auto limit = [&](std::string_view which) {
            return values.contains(fmt::format("{}_{}", which, category));
        };
        if (limit("total") && (limit("read") || limit("write"))) {
            return fail(
                ErrorCode::kInvalidArgument,
                fmt::format("total_{0} cannot stand beside read_{0} or write_{0}: set the others to 0", category));
        }
    }
    return {};
}

/// The limits of a group are those of each disk in it: what we would note down of this disk is not all we would change.
Result<void> check_alone(const model::EffectSpec& spec, const Values& values) {
    const auto group = values.find(kGroupName);
    if (group == values.end()) return {};
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("disk {} of VM {} shares its limits with every disk of throttle group '{}', and only a disk "
                    "by itself is changed: take it out of the group, or choose another",
                    disk_of(spec), spec.target.vm.text(), group->second));
}

bool is_known(std::string_view name) {
    constexpr std::array<std::string_view, 6> kStems{"total_bytes_sec", "read_bytes_sec", "write_bytes_sec",
                                                     "total_iops_sec",  "read_iops_sec",  "write_iops_sec"};
    if (name == "size_iops_sec") return true;
    for (const std::string_view stem : kStems) {
        if (name.starts_with(stem)) {
            name.remove_prefix(stem.size());
            return name.empty() || name == "_max" || name == "_max_length";
        }
    }
    return false;
}

void set(Values& values, const std::string& name, std::uint64_t limit) {
    if (limit == 0) {
        values.erase(name);
    } else {
        values[name] = fmt::to_string(limit);
    }
}

}  // namespace

Result<Image> IoTuneChange::read(const model::EffectSpec& spec, const Site& site) {
    const VmId vm(site.domain);
    const hypervisor::DomainConfiguration configuration = TRY(tuning_.configuration(vm));
    Image image{.persistent = values_of(TRY(tuning_.iotune(vm, disk_of(spec), hypervisor::Layer::kPersistent)))};
    if (configuration.scheduler.empty() && configuration.iotune.empty()) return image;
    image.live = values_of(TRY(tuning_.iotune(vm, disk_of(spec), hypervisor::Layer::kLive)));
    return image;
}

Result<Image> IoTuneChange::intend(const model::EffectSpec& spec, const Site& /*site*/, const Image& before) {
    const auto& action = std::get<model::IoTune>(spec.action);
    if (action.limits.empty()) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("effect {} changes no limit", spec.id.text()));
    }
    TRY(check_alone(spec, before.persistent));
    TRY(check_alone(spec, *before.live));
    Image after = before;
    for (const auto& [name, limit] : action.limits) {
        if (!is_known(name)) {
            return fail(ErrorCode::kInvalidArgument, fmt::format("domain.iotune knows no limit '{}'", name));
        }
        set(*after.live, name, limit);
        if (spec.target.is_production()) set(after.persistent, name, limit);
    }
    TRY(check_exclusive(*after.live));
    TRY(check_exclusive(after.persistent));
    return after;
}

Result<void> IoTuneChange::write(const model::EffectSpec& spec, const Site& site, Layer layer, const Values& values) {
    return tuning_.set_iotune(VmId(site.domain), disk_of(spec), TRY(iotune_of(values)),
                              layer == Layer::kLive ? hypervisor::Layer::kLive : hypervisor::Layer::kPersistent);
}

Result<std::string> IoTuneChange::fingerprint(const model::EffectSpec& /*spec*/, const Site& site) {
    return domain_fingerprint(tuning_, site.domain);
}

Result<Values> IoTuneChange::evidence(const model::EffectSpec& /*spec*/, const Site& /*site*/) {
    return Values{};
}

}  // namespace penumbra::effects
