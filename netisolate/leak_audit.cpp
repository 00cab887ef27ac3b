#include "netisolate/leak_audit.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace penumbra::netisolate {

namespace {

/// slow_path(match): the frame is looked up in the OpenFlow tables one by one, and those are audited.
constexpr std::string_view kHarmlessSlowPath = "slow_path(match)";

class Findings {
 public:
    template <class... Args>
    void add(LeakRule rule, fmt::format_string<Args...> format, Args&&... args) {
        found_.push_back({.rule = rule, .sentence = fmt::format(format, std::forward<Args>(args)...)});
    }
    [[nodiscard]] std::vector<Finding> take() { return std::move(found_); }

 private:
    std::vector<Finding> found_;
};

class SandboxAudit {
 public:
    SandboxAudit(const IsolationPlan& plan, const NetworkState& observed, std::span<const DatapathFlow> datapath)
        : plan_(plan), observed_(observed), datapath_(datapath), wanted_(*plan.desired.bridge(plan.bridge)) {
        for (const SwitchPort& port : wanted_.ports)
            inside_.insert(port.name);
    }

    std::vector<Finding> run() {
        for (const Bridge& bridge : observed_.bridges) {
            if (bridge.name == plan_.bridge) {
                audit_own(bridge);
            } else {
                audit_foreign(bridge);
            }
        }
        if (observed_.bridge(plan_.bridge) == nullptr) {
            findings_.add(LeakRule::kBridge, "bridge {} of sandbox {} is gone", plan_.bridge, plan_.owner);
        }
        for (const DatapathFlow& flow : datapath_)
            audit_datapath(flow);
        audit_links();
        return findings_.take();
    }

 private:
    void audit_own(const Bridge& bridge) {
        if (bridge.owner != plan_.owner) {
            findings_.add(LeakRule::kBridge, "bridge {} no longer carries the mark of sandbox {}", bridge.name,
                          plan_.owner);
        }
        if (bridge.settings.fail_mode != FailMode::kSecure) {
            findings_.add(LeakRule::kBridge, "bridge {} is not fail_mode=secure: it floods when ovs-vswitchd restarts",
                          bridge.name);
        }
        if (!bridge.settings.in_band_disabled) {
            findings_.add(LeakRule::kBridge, "bridge {} may install hidden in-band flows to the host", bridge.name);
        }
        for (const std::string& controller : bridge.controllers) {
            findings_.add(LeakRule::kController, "bridge {} has a controller, {}", bridge.name, controller);
        }
        for (const std::string& feature : bridge.features) {
            findings_.add(LeakRule::kFeature, "bridge {} has {} switched on", bridge.name, feature);
        }
        for (const Mirror& mirror : bridge.mirrors) {
            findings_.add(LeakRule::kMirror, "bridge {} has a mirror, {}, to port {}", bridge.name, mirror.name,
                          mirror.output_port);
        }
        for (const SwitchPort& port : bridge.ports)
            audit_port(bridge, port);
        for (const Flow& flow : bridge.flows)
            audit_flow(bridge, flow);
    }

    void audit_port(const Bridge& bridge, const SwitchPort& port) {
        const SwitchPort* wanted = find_port(wanted_, port.name);
        if (wanted == nullptr) {
            findings_.add(LeakRule::kPort, "port {}{}{} on bridge {} is not of the plan", port.name,
                          port.type.empty() ? "" : " of type ", port.type, bridge.name);
        } else if (port.type != wanted->type || port.interfaces != 1 || !port.options.empty()) {
            findings_.add(LeakRule::kPort, "port {} on bridge {} is no longer a plain device of the kernel", port.name,
                          bridge.name);
        } else if (port.number != 0 && port.number != wanted->number) {
            findings_.add(LeakRule::kPort, "port {} on bridge {} has number {}, but its flows are for number {}",
                          port.name, bridge.name, port.number, wanted->number);
        }
    }

    void audit_flow(const Bridge& bridge, const Flow& flow) {
        if (flow.only_drops()) return;
        const bool of_plan = std::ranges::any_of(wanted_.flows, [&](const Flow& it) { return it.does_what(flow); });
        if (of_plan && std::ranges::all_of(flow.actions, [&](const FlowAction& it) { return is_allowed(it); })) return;
        findings_.add(LeakRule::kFlow, "flow '{}' on bridge {} is not of the plan", describe(flow), bridge.name);
    }

    /// The whitelist, independent of the plan's own flows: a planner's bug is found too.
    [[nodiscard]] bool is_allowed(const FlowAction& action) const {
        if (action.kind == ActionKind::kGotoTable) return true;
        return action.kind == ActionKind::kOutput && std::ranges::any_of(wanted_.ports, [&](const SwitchPort& port) {
                   return port.number == action.operand;
               });
    }

    void audit_foreign(const Bridge& bridge) {
        for (const SwitchPort& port : bridge.ports) {
            if (inside_.contains(port.name)) {
                findings_.add(LeakRule::kPort, "port {} of sandbox {} is plugged into bridge {}", port.name,
                              plan_.owner, bridge.name);
            }
            const auto peer = port.options.find("peer");
            if (peer != port.options.end() && inside_.contains(peer->second)) {
                findings_.add(LeakRule::kPort, "patch port {} on bridge {} leads into sandbox {}", port.name,
                              bridge.name, plan_.owner);
            }
        }
    }

    void audit_datapath(const DatapathFlow& flow) {
        const bool from_inside = inside_.contains(flow.in_port) || flow.in_port.empty();
        for (const std::string& output : flow.outputs) {
            if (from_inside != inside_.contains(output) || flow.in_port.empty()) {
                findings_.add(LeakRule::kDatapathFlow, "the installed flow '{}' joins sandbox {} and {}", flow.text,
                              plan_.owner, from_inside ? output : flow.in_port);
                return;
            }
        }
        if (!inside_.contains(flow.in_port)) return;
        for (const std::string& other : flow.others) {
            if (other.starts_with("userspace(") && other.find(kHarmlessSlowPath) != std::string::npos) continue;
            findings_.add(LeakRule::kDatapathFlow, "the installed flow '{}' of sandbox {} does more than send: {}",
                          flow.text, plan_.owner, other);
            return;
        }
    }

    void audit_links() {
        for (const Link& wanted : plan_.desired.links) {
            const Link* link = observed_.link(wanted.space, wanted.name);
            if (link == nullptr) {
                if (!wanted.space.empty() && observed_.link("", wanted.name) != nullptr &&
                    observed_.link("", wanted.name)->owner == plan_.owner) {
                    findings_.add(LeakRule::kLink, "link {} of sandbox {} is in the host's namespace", wanted.name,
                                  plan_.owner);
                }
                continue;
            }
            audit_link(wanted, *link);
        }
        for (const Link& link : observed_.links) {
            if (link.space != plan_.space || plan_.desired.link(link.space, link.name) != nullptr) continue;
            findings_.add(LeakRule::kLink, "namespace {} has a link that is not of the plan, {}", plan_.space,
                          link.name);
        }
    }

    void audit_link(const Link& wanted, const Link& link) {
        if (link.settings.master != wanted.settings.master) {
            findings_.add(LeakRule::kLink, "link {} of sandbox {} is a port of '{}', and has to be one of '{}'",
                          link.name, plan_.owner, link.settings.master, wanted.settings.master);
        }
        if (!wanted.space.empty()) return;
        if (wanted.kind == LinkKind::kBridge && link.settings.up) {
            findings_.add(LeakRule::kLink, "link {} of sandbox {} is up and may forward", link.name, plan_.owner);
        }
        if (!link.addresses.empty()) {
            findings_.add(LeakRule::kLink, "the host has address {} on link {} of sandbox {}", link.addresses.front(),
                          link.name, plan_.owner);
        }
        if (link.settings.arp || link.settings.ipv6) {
            findings_.add(LeakRule::kLink, "the host answers on link {} of sandbox {}: ARP or IPv6 is on", link.name,
                          plan_.owner);
        }
    }

    const IsolationPlan& plan_;
    const NetworkState& observed_;
    std::span<const DatapathFlow> datapath_;
    const Bridge& wanted_;
    std::set<std::string, std::less<>> inside_;
    Findings findings_;
};

void audit_mirror_row(const MirrorPlan& plan, const NetworkState& observed, Findings& findings) {
    for (const Bridge& bridge : observed.bridges) {
        const SwitchPort* port = find_port(bridge, plan.veth);
        if (port == nullptr) continue;
        if (bridge.name != plan.bridge) {
            findings.add(LeakRule::kPort, "capture port {} is plugged into bridge {}", plan.veth, bridge.name);
            continue;
        }
        const Mirror* mirror = find_mirror(bridge, plan.mirror);
        const Mirror& wanted = plan.desired.bridge(plan.bridge)->mirrors.front();
        if (mirror == nullptr || mirror->output_port != plan.veth) {
            findings.add(LeakRule::kMirror,
                         "no Mirror row reserves capture port {} on bridge {}: frames may enter there", plan.veth,
                         bridge.name);
        } else if (*mirror != wanted) {
            findings.add(LeakRule::kMirror, "mirror {} on bridge {} no longer copies what it was made for", plan.mirror,
                         bridge.name);
        }
    }
}

}  // namespace

std::vector<Finding> audit_sandbox(const IsolationPlan& plan, const NetworkState& observed,
                                   std::span<const DatapathFlow> datapath) {
    return SandboxAudit(plan, observed, datapath).run();
}

std::vector<Finding> audit_mirror(const MirrorPlan& plan, const NetworkState& observed,
                                  std::span<const DatapathFlow> datapath) {
    Findings findings;
    audit_mirror_row(plan, observed, findings);
    for (const DatapathFlow& flow : datapath) {
        if (flow.in_port != plan.veth || (flow.outputs.empty() && flow.others.empty())) continue;
        findings.add(LeakRule::kDatapathFlow, "frames enter by capture port {}: the installed flow '{}'", plan.veth,
                     flow.text);
    }
    for (const Link& wanted : plan.desired.links) {
        const Link* link = observed.link(wanted.space, wanted.name);
        if (link == nullptr) continue;
        if (link->settings.arp || link->settings.ipv6 || !link->addresses.empty()) {
            findings.add(LeakRule::kLink, "link {} of mirror {} may speak: it has an address, ARP or IPv6", link->name,
                         plan.owner);
        }
        if (wanted.kind == LinkKind::kBridge && link->settings.up) {
            findings.add(LeakRule::kLink, "link {} of mirror {} is up and may forward", link->name, plan.owner);
        }
        if (link->settings.master != wanted.settings.master) {
            findings.add(LeakRule::kLink, "link {} of mirror {} is a port of '{}'", link->name, plan.owner,
                         link->settings.master);
        }
    }
    for (const Link& link : observed.links) {
        if (link.space != plan.space || plan.desired.link(link.space, link.name) != nullptr) continue;
        findings.add(LeakRule::kLink, "namespace {} has a link that is not of the plan, {}", plan.space, link.name);
    }
    return findings.take();
}

}  // namespace penumbra::netisolate
