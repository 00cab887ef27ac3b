#include "netisolate/network_delta.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "netisolate/isolation_plan.hpp"

namespace penumbra::netisolate {

namespace {

tl::unexpected<Error> in_the_way(std::string_view what, std::string_view name, std::string_view owner) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} '{}' is there already and belongs to {}; penumbra does not touch it: rename or remove it", what,
                    name, owner.empty() ? "somebody else" : owner));
}

/// A fault's rule: above the plan's and dropping. It stands until its own time-out or its own undo.
bool is_fault(const Flow& flow) {
    return flow.key.priority >= kFaultPriority && flow.only_drops();
}

class Delta {
 public:
    Delta(const NetworkState& observed, const NetworkState& desired, std::string_view owner)
        : observed_(observed), desired_(desired), owner_(owner) {}

    Result<std::vector<NetworkStep>> steps() {
        TRY(check_conflicts());
        remove_rows();
        remove_links();
        add_links();
        TRY(add_rows());
        replace_flows();
        set_links();
        return std::move(steps_);
    }

 private:
    Result<void> check_conflicts() const {
        for (const Link& link : desired_.links) {
            const Link* there = observed_.link(link.space, link.name);
            if (there != nullptr && there->owner != owner_) return in_the_way("link", link.name, there->owner);
        }
        for (const Bridge& bridge : desired_.bridges) {
            const Bridge* there = observed_.bridge(bridge.name);
            if (there == nullptr) continue;
            if (there->owner != bridge.owner) return in_the_way("bridge", bridge.name, there->owner);
            for (const SwitchPort& port : bridge.ports) {
                const SwitchPort* found = find_port(*there, port.name);
                if (found != nullptr && found->owner != owner_) return in_the_way("port", port.name, found->owner);
            }
        }
        return {};
    }

    void remove_rows() {
        ChangeSwitch change;
        for (const Bridge& bridge : observed_.bridges) {
            const Bridge* wanted = desired_.bridge(bridge.name);
            if (wanted == nullptr && bridge.owner == owner_) {
                Bridge gone = bridge;
                gone.flows.clear();
                change.changes.emplace_back(RemoveBridge{std::move(gone)});
                continue;
            }
            remove_ports(bridge, wanted, change);
        }
        if (!change.changes.empty()) steps_.emplace_back(std::move(change));
    }

    void remove_ports(const Bridge& bridge, const Bridge* wanted, ChangeSwitch& change) const {
        for (const SwitchPort& port : bridge.ports) {
            if (port.owner != owner_ || (wanted != nullptr && stands(bridge, port, *wanted))) continue;
            const auto mirror = std::ranges::find(bridge.mirrors, port.name, &Mirror::output_port);
            if (mirror != bridge.mirrors.end() && mirror->owner == owner_) {
                change.changes.emplace_back(RemoveMirror{bridge.name, port, *mirror});
            } else {
                change.changes.emplace_back(RemovePort{bridge.name, port});
            }
        }
    }

    /// Whether a port of ours is as wanted, its Mirror row included.
    static bool stands(const Bridge& bridge, const SwitchPort& port, const Bridge& wanted) {
        const SwitchPort* want = find_port(wanted, port.name);
        if (want == nullptr || want->requested_number != port.requested_number || want->type != port.type) return false;
        if (want->requested_number != 0 && port.number != want->requested_number) return false;
        const auto mirror = std::ranges::find(wanted.mirrors, port.name, &Mirror::output_port);
        if (mirror == wanted.mirrors.end()) return true;
        const Mirror* there = find_mirror(bridge, mirror->name);
        return there != nullptr && *there == *mirror;
    }

    void remove_links() {
        for (const Link& link : observed_.links) {
            if (link.owner != owner_ || desired_.link(link.space, link.name) != nullptr) continue;
            // the far end of a veth goes with the near one
            if (link.space.empty()) steps_.emplace_back(RemoveLink{whole(link), peer_of(link)});
        }
        for (const Space& space : observed_.spaces) {
            if (desired_.space(space.name) != nullptr || !space_is_ours(space)) continue;
            steps_.emplace_back(RemoveSpace{space.name});
        }
    }

    [[nodiscard]] bool space_is_ours(const Space& space) const {
        return std::ranges::any_of(observed_.links,
                                   [&](const Link& link) { return link.space == space.name && link.owner == owner_; });
    }

    static Link whole(Link link) {
        link.addresses.clear();
        return link;
    }

    [[nodiscard]] std::optional<Link> peer_of(const Link& link) const {
        if (link.peer.empty()) return std::nullopt;
        const Link* peer = desired_.link(link.peer_space, link.peer);
        if (peer == nullptr) peer = observed_.link(link.peer_space, link.peer);
        return peer == nullptr ? std::nullopt : std::optional(whole(*peer));
    }

    void add_links() {
        for (const Space& space : desired_.spaces) {
            if (observed_.space(space.name) == nullptr) steps_.emplace_back(AddSpace{space.name});
        }
        for (const Link& link : desired_.links) {
            if (!link.space.empty() || observed_.link("", link.name) != nullptr) continue;
            steps_.emplace_back(AddLink{whole(link), peer_of(link)});
        }
    }

    Result<void> add_rows() {
        ChangeSwitch change;
        for (const Bridge& bridge : desired_.bridges) {
            const Bridge* there = observed_.bridge(bridge.name);
            if (there == nullptr && bridge.owner != owner_) {
                return fail(ErrorCode::kNotFound, fmt::format("there is no bridge '{}' on this host", bridge.name));
            }
            if (there == nullptr) {
                Bridge made = bridge;
                made.flows.clear();
                change.changes.emplace_back(AddBridge{std::move(made)});
                continue;
            }
            if (!bridge.owner.empty() && there->settings != bridge.settings) {
                change.changes.emplace_back(SetBridge{bridge.name, there->settings, bridge.settings});
            }
            for (const SwitchPort& port : bridge.ports) {
                const SwitchPort* found = find_port(*there, port.name);
                if (found != nullptr && stands(*there, *found, bridge)) continue;
                const auto mirror = std::ranges::find(bridge.mirrors, port.name, &Mirror::output_port);
                if (mirror != bridge.mirrors.end()) {
                    change.changes.emplace_back(AddMirror{bridge.name, port, *mirror});
                } else {
                    change.changes.emplace_back(AddPort{bridge.name, port});
                }
            }
        }
        if (!change.changes.empty()) steps_.emplace_back(std::move(change));
        return {};
    }

    void replace_flows() {
        for (const Bridge& bridge : desired_.bridges) {
            if (bridge.owner != owner_) continue;
            const Bridge* there = observed_.bridge(bridge.name);
            // another fail_mode empties the tables, so everything is written again
            const bool emptied = there == nullptr || there->settings.fail_mode != bridge.settings.fail_mode;
            ReplaceFlows replace{.bridge = bridge.name};
            if (!emptied) {
                std::ranges::copy_if(there->flows, std::back_inserter(replace.remove), [&](const Flow& flow) {
                    return !is_fault(flow) &&
                           std::ranges::find(bridge.flows, flow.key, &Flow::key) == bridge.flows.end();
                });
            }
            std::ranges::copy_if(bridge.flows, std::back_inserter(replace.add), [&](const Flow& flow) {
                return emptied ||
                       std::ranges::none_of(there->flows, [&](const Flow& it) { return it.does_what(flow); });
            });
            if (!replace.add.empty() || !replace.remove.empty()) steps_.emplace_back(std::move(replace));
        }
    }

    void set_links() {
        for (const Link& link : desired_.links) {
            const Link* there = observed_.link(link.space, link.name);
            for (const std::string& address : link.addresses) {
                if (there != nullptr && std::ranges::find(there->addresses, address) != there->addresses.end())
                    continue;
                steps_.emplace_back(AddAddress{link.space, link.name, address});
            }
            if (there != nullptr) {
                for (const std::string& address : there->addresses) {
                    if (std::ranges::find(link.addresses, address) != link.addresses.end()) continue;
                    steps_.emplace_back(RemoveAddress{link.space, link.name, address});
                }
            }
            const LinkSettings before = there != nullptr ? there->settings : LinkSettings{};
            if (before != link.settings) steps_.emplace_back(SetLink{link.space, link.name, before, link.settings});
        }
        for (const Space& space : desired_.spaces) {
            const Space* there = observed_.space(space.name);
            if (space.delivers_from.empty() || (there != nullptr && there->delivers_from == space.delivers_from))
                continue;
            steps_.emplace_back(DeliverFrom{space.name, space.delivers_from});
        }
    }

    const NetworkState& observed_;
    const NetworkState& desired_;
    std::string_view owner_;
    std::vector<NetworkStep> steps_;
};

}  // namespace

Result<std::vector<NetworkStep>> network_delta(const NetworkState& observed, const NetworkState& desired,
                                               std::string_view owner) {
    if (owner.empty()) return fail(ErrorCode::kInvalidArgument, "a network without an owner is nobody's to change");
    return Delta(observed, desired, owner).steps();
}

}  // namespace penumbra::netisolate
