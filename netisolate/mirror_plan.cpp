#include "netisolate/mirror_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "netisolate/isolation_plan.hpp"

namespace penumbra::netisolate {

namespace {

std::vector<Link> links_of(const MirrorPlan& plan, DatapathType datapath) {
    const LinkSettings deaf{.up = true, .arp = false, .ipv6 = false};
    LinkSettings host_end = deaf;
    std::vector<Link> links;
    if (datapath == DatapathType::kNetdev) {  // see isolation_plan.cpp: deaf to the host's own stack
        host_end.master = "pnq-" + short_name(plan.owner);
        links.push_back({.name = host_end.master,
                         .kind = LinkKind::kBridge,
                         .owner = plan.owner,
                         .settings = {.up = false, .arp = false, .ipv6 = false}});
    }
    links.push_back({.name = plan.veth,
                     .kind = LinkKind::kVeth,
                     .owner = plan.owner,
                     .peer = plan.capture,
                     .peer_space = plan.space,
                     .settings = host_end});
    links.push_back({.name = plan.capture,
                     .space = plan.space,
                     .kind = LinkKind::kVeth,
                     .owner = plan.owner,
                     .peer = plan.veth,
                     .settings = deaf});
    return links;
}

}  // namespace

Result<MirrorPlan> plan_mirror(const MirrorSpec& spec) {
    if (spec.owner.empty() || spec.bridge.empty() || spec.mirrored.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a mirror needs an owner, a bridge and ports to copy: '{}' on bridge '{}' has {} ports",
                                spec.owner, spec.bridge, spec.mirrored.size()));
    }
    const std::string name = short_name(spec.owner);
    MirrorPlan plan{.owner = spec.owner,
                    .bridge = spec.bridge,
                    .mirror = "pnm-" + name,
                    .veth = "pnc-" + name,
                    .capture = "cap0",
                    .space = "capture-" + name};
    Bridge bridge{.name = spec.bridge};
    bridge.ports.push_back({.name = plan.veth, .owner = plan.owner});
    Mirror mirror{.name = plan.mirror, .owner = plan.owner, .output_port = plan.veth, .from_ports = spec.mirrored};
    std::ranges::sort(mirror.from_ports);
    mirror.to_ports = mirror.from_ports;
    bridge.mirrors.push_back(std::move(mirror));
    plan.desired.bridges.push_back(std::move(bridge));
    plan.desired.links = links_of(plan, spec.datapath);
    plan.desired.spaces.push_back({.name = plan.space});
    return plan;
}

}  // namespace penumbra::netisolate
