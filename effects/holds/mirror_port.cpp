#include "effects/holds/mirror_port.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "netisolate/sandbox_network.hpp"

namespace penumbra::effects {

namespace {

netisolate::MirrorSpec mirror_of(const model::EffectSpec& spec) {
    const auto& action = std::get<model::MirrorHold>(spec.action);
    return {.owner = spec.id.text(), .bridge = action.bridge, .mirrored = {action.mirrored_port}};
}

/// Everything in `state` that carries the owner's mark, by name, and the namespace, which can carry none.
Values marked(const netisolate::NetworkState& state, const netisolate::MirrorPlan& plan) {
    const std::string& owner = plan.owner;
    Values values;
    if (state.space(plan.space) != nullptr) values.emplace("space " + plan.space, "stands");
    for (const netisolate::Bridge& bridge : state.bridges) {
        for (const netisolate::SwitchPort& port : bridge.ports)
            if (port.owner == owner) values.emplace(fmt::format("port {} of {}", port.name, bridge.name), "stands");
        for (const netisolate::Mirror& mirror : bridge.mirrors)
            if (mirror.owner == owner)
                values.emplace(fmt::format("mirror {} of {}", mirror.name, bridge.name), "stands");
    }
    for (const netisolate::Link& link : state.links)
        if (link.owner == owner) values.emplace(fmt::format("link {}/{}", link.space, link.name), "stands");
    return values;
}

}  // namespace

Result<Image> MirrorPortHold::read(const model::EffectSpec& spec, const Site& /*site*/) {
    const netisolate::MirrorPlan names = TRY(netisolate::plan_mirror(mirror_of(spec)));
    return Image{.live = marked(TRY(netisolate::observe(control_, links_, names.owner)), names)};
}

Result<Image> MirrorPortHold::intend(const model::EffectSpec& spec, const Site& site, const Image& before) {
    const auto& action = std::get<model::MirrorHold>(spec.action);
    if (std::ranges::find(site.taps, action.mirrored_port) == site.taps.end()) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("port {} is not one of VM {}: nobody else's traffic is copied", action.mirrored_port,
                                spec.target.vm.text()));
    }
    if (!before.live->empty()) {
        return fail(ErrorCode::kConflict,
                    fmt::format("{} stands already: wait for its end", before.live->begin()->first));
    }
    const netisolate::MirrorPlan desired = TRY(netisolate::plan_mirror_here(mirror_of(spec), control_));
    return Image{.live = marked(desired.desired, desired)};
}

Result<void> MirrorPortHold::write(const model::EffectSpec& spec, const Site& /*site*/, Layer layer,
                                   const Values& values) {
    if (layer == Layer::kPersistent) return {};
    if (!values.empty()) {
        return netisolate::build_mirror(TRY(netisolate::plan_mirror_here(mirror_of(spec), control_)), control_, links_);
    }
    TRY(netisolate::tear_down(spec.id.text(), control_, links_));
    // Left behind when we died before a link stood in it.
    return links_.remove_space(TRY(netisolate::plan_mirror(mirror_of(spec))).space);
}

Result<std::string> MirrorPortHold::fingerprint(const model::EffectSpec& spec, const Site& site) {
    return journal::hash_of(TRY(read(spec, site))).hex();
}

Result<Values> MirrorPortHold::evidence(const model::EffectSpec& /*spec*/, const Site& /*site*/) {
    return Values{};
}

}  // namespace penumbra::effects
