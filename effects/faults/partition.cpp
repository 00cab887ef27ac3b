#include "effects/faults/partition.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/limits/effects.hpp"

namespace penumbra::effects {

namespace {

constexpr std::uint64_t kCookieTag = 0x70e5;  // upper 16 bits: a partition of ours
constexpr std::uint16_t kPriority = 65'000;   // above every rule of a sandbox

std::string name_of(const netisolate::FlowKey& key) {
    return fmt::format("{}/{}/{}", key.table, key.priority, key.match);
}

netisolate::Flow drop_from(std::uint16_t port, const model::EffectSpec& spec) {
    return {.key = {.table = 0, .priority = kPriority, .match = fmt::format("in_port={}", port)},
            .cookie = PartitionFault::cookie_of(spec.id),
            .hard_timeout = spec.lease};
}

std::vector<netisolate::Flow> rules_of(const model::EffectSpec& spec, const netisolate::Bridge& bridge) {
    const auto& chosen = std::get<model::Partition>(spec.action).interfaces;
    std::vector<netisolate::Flow> rules;
    for (const netisolate::SwitchPort& port : bridge.ports) {
        const bool wanted = chosen.empty() || std::ranges::find(chosen, port.name) != chosen.end();
        if (wanted && port.number != 0) rules.push_back(drop_from(port.number, spec));
    }
    return rules;
}

Result<netisolate::Bridge> find_bridge(netisolate::SwitchControl& control, const Site& site) {
    for (netisolate::Bridge& bridge : TRY(control.bridges()))
        if (bridge.name == site.bridge) return std::move(bridge);
    return fail(ErrorCode::kNotFound, fmt::format("no bridge {} on this host", site.bridge));
}

}  // namespace

std::uint64_t PartitionFault::cookie_of(const EffectId& id) {
    std::uint64_t low = 0;
    const Digest digest = sha256(id.text());
    for (std::size_t i = 0; i < 6; ++i)
        low = low << 8U | std::to_integer<std::uint64_t>(digest.bytes[i]);
    return kCookieTag << 48U | low;
}

Result<Image> PartitionFault::read(const model::EffectSpec& spec, const Site& site) {
    Result<std::vector<netisolate::Flow>> flows = control_.flows(site.bridge);
    if (!flows.has_value() && flows.error().code == ErrorCode::kNotFound) return Image{};
    if (!flows.has_value()) return tl::unexpected(std::move(flows).error());
    Image image{.live = Values{}};
    for (const netisolate::Flow& flow : *flows) {
        if (flow.cookie == cookie_of(spec.id)) {
            image.live->emplace(name_of(flow.key), flow.only_drops() ? "drop" : netisolate::describe(flow));
        }
    }
    return image;
}

Result<Image> PartitionFault::intend(const model::EffectSpec& spec, const Site& site, const Image& before) {
    const netisolate::Bridge bridge = TRY(find_bridge(control_, site));
    if (bridge.owner.empty()) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("bridge {} is not a sandbox's: its traffic is never cut", bridge.name));
    }
    if (spec.lease > limits::kPartitionLeaseMax) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a partition lasts at most {} s, not {}",
                                                             limits::kPartitionLeaseMax.count(), spec.lease.count()));
    }
    Image after = before;
    for (const netisolate::Flow& rule : rules_of(spec, bridge))
        after.live->emplace(name_of(rule.key), "drop");
    if (*after.live == *before.live) {
        return fail(ErrorCode::kNotFound, fmt::format("bridge {} has none of the ports to cut off", bridge.name));
    }
    return after;
}

Result<void> PartitionFault::write(const model::EffectSpec& spec, const Site& site, Layer layer, const Values& values) {
    if (layer == Layer::kPersistent) return {};
    netisolate::FlowBundle bundle{.remove_cookies = {cookie_of(spec.id)}};
    if (!values.empty()) bundle.add = rules_of(spec, TRY(find_bridge(control_, site)));
    TRY(control_.apply(site.bridge, bundle));
    return control_.settle();
}

Result<std::string> PartitionFault::fingerprint(const model::EffectSpec& spec, const Site& site) {
    return journal::hash_of(TRY(read(spec, site))).hex();
}

Result<Values> PartitionFault::evidence(const model::EffectSpec& spec, const Site& site) {
    std::uint64_t dropped = 0;
    for (const netisolate::Flow& flow : TRY(control_.flows(site.bridge)))
        if (flow.cookie == cookie_of(spec.id)) dropped += flow.packets;
    return Values{{"dropped_frames", fmt::to_string(dropped)}};
}

}  // namespace penumbra::effects
