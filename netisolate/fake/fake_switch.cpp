#include "netisolate/fake/fake_switch.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace penumbra::netisolate {

namespace {

Flow normal_flow() {
    return {.actions = {{.kind = ActionKind::kNormal, .text = "NORMAL"}}};
}

tl::unexpected<Error> no_bridge(std::string_view name) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no bridge '{}' on this host", name));
}

Result<void> put_port(Bridge& bridge, SwitchPort port) {
    if (find_port(bridge, port.name) != nullptr) {
        return fail(ErrorCode::kConflict, fmt::format("a port '{}' is there already", port.name));
    }
    port.number = port.requested_number;
    while (port.number == 0 || std::ranges::count(bridge.ports, port.number, &SwitchPort::number) != 0)
        ++port.number;
    bridge.ports.push_back(std::move(port));
    return {};
}

Result<void> take_port(Bridge& bridge, std::string_view name) {
    if (std::erase_if(bridge.ports, [&](const SwitchPort& port) { return port.name == name; }) == 0) {
        return fail(ErrorCode::kNotFound, fmt::format("bridge '{}' has no port '{}'", bridge.name, name));
    }
    return {};
}

/// One change on one bridge that is known to be there.
struct OnBridge {
    Bridge& bridge;

    Result<void> operator()(const AddPort& add) const { return put_port(bridge, add.port); }
    Result<void> operator()(const RemovePort& remove) const { return take_port(bridge, remove.port.name); }
    Result<void> operator()(const AddMirror& add) const {
        for (const auto& selected : {add.mirror.from_ports, add.mirror.to_ports}) {
            for (const std::string& name : selected) {
                if (find_port(bridge, name) == nullptr) {
                    return fail(ErrorCode::kNotFound, fmt::format("bridge '{}' has no port '{}'", bridge.name, name));
                }
            }
        }
        TRY(put_port(bridge, add.port));
        bridge.mirrors.push_back(add.mirror);
        return {};
    }
    Result<void> operator()(const RemoveMirror& remove) const {
        std::erase_if(bridge.mirrors, [&](const Mirror& mirror) { return mirror.name == remove.mirror.name; });
        return take_port(bridge, remove.port.name);
    }
    Result<void> operator()(const SetBridge& set) const {
        bridge.settings = set.after;
        return {};
    }
    Result<void> operator()(const AddBridge&) const { return {}; }
    Result<void> operator()(const RemoveBridge&) const { return {}; }
};

std::string bridge_of(const SwitchChange& change) {
    return std::visit(
        [](const auto& item) -> std::string {
            if constexpr (requires { item.bridge.name; }) {
                return item.bridge.name;
            } else {
                return item.bridge;
            }
        },
        change);
}

}  // namespace

Result<void> FakeSwitch::admit() {
    expire();
    const auto failure = failures_.find(++calls_);
    if (failure == failures_.end()) return {};
    return tl::unexpected(failure->second);
}

void FakeSwitch::expire() {
    for (auto& [bridge, rules] : rules_) {
        std::erase_if(rules, [&](const auto& item) {
            const Rule& rule = item.second;
            return rule.flow.hard_timeout.count() != 0 && clock_.now() >= rule.since + rule.flow.hard_timeout;
        });
    }
}

Result<std::string> FakeSwitch::version() {
    TRY(admit());
    return "ovs-vswitchd (Open vSwitch) 3.1.0";
}

Result<std::vector<Bridge>> FakeSwitch::bridges() {
    TRY(admit());
    return bridges_;
}

Result<void> FakeSwitch::change(const SwitchChange& change) {
    const std::string name = bridge_of(change);
    if (const auto* add = std::get_if<AddBridge>(&change)) {
        if (bridge(name) != nullptr) {
            return fail(ErrorCode::kConflict, fmt::format("a bridge '{}' is there already", name));
        }
        Bridge made = add->bridge;
        std::vector<SwitchPort> ports;
        std::swap(ports, made.ports);
        made.flows.clear();
        for (SwitchPort& port : ports)
            TRY(put_port(made, std::move(port)));
        put_bridge(std::move(made));
        return {};
    }
    Bridge* found = bridge(name);
    if (found == nullptr) return no_bridge(name);
    if (std::holds_alternative<RemoveBridge>(change)) {
        rules_.erase(name);
        std::erase_if(bridges_, [&](const Bridge& item) { return item.name == name; });
        return {};
    }
    if (const auto* set = std::get_if<SetBridge>(&change)) {
        // as Open vSwitch: another fail_mode empties the tables
        if (found->settings.fail_mode != set->after.fail_mode) rules_[name].clear();
    }
    return std::visit(OnBridge{*found}, change);
}

Result<void> FakeSwitch::transact(std::span<const SwitchChange> changes) {
    TRY(admit());
    auto bridges_before = bridges_;
    auto rules_before = rules_;
    for (const SwitchChange& item : changes) {
        auto done = change(item);
        if (done.has_value()) continue;
        bridges_ = std::move(bridges_before);
        rules_ = std::move(rules_before);
        return done;
    }
    return {};
}

Result<std::vector<Flow>> FakeSwitch::flows(std::string_view name) {
    TRY(admit());
    if (bridge(name) == nullptr) return no_bridge(name);
    std::vector<Flow> flows;
    for (const auto& [key, rule] : rules_[std::string(name)])
        flows.push_back(rule.flow);
    return flows;
}

Result<void> FakeSwitch::apply(std::string_view name, const FlowBundle& bundle) {
    TRY(admit());
    if (bridge(name) == nullptr) return no_bridge(name);
    auto& rules = rules_[std::string(name)];
    for (const FlowKey& key : bundle.remove)
        rules.erase(key);
    for (const std::uint64_t cookie : bundle.remove_cookies) {
        std::erase_if(rules, [&](const auto& item) { return item.second.flow.cookie == cookie; });
    }
    for (const Flow& flow : bundle.add) {
        rules.insert_or_assign(flow.key, Rule{flow, clock_.now()});
        rules.at(flow.key).flow.packets = 0;
    }
    return {};
}

Result<std::vector<DatapathFlow>> FakeSwitch::datapath_flows() {
    TRY(admit());
    std::vector<DatapathFlow> installed = datapath_;
    installed.insert(installed.end(), stale_.begin(), stale_.end());
    return installed;
}

Result<void> FakeSwitch::settle() {
    TRY(admit());
    stale_.clear();
    return {};
}

void FakeSwitch::install_datapath_flow(DatapathFlow flow, Until until) {
    (until == Until::kSettled ? stale_ : datapath_).push_back(std::move(flow));
}

void FakeSwitch::put_bridge(Bridge bridge) {
    auto& rules = rules_[bridge.name];
    if (bridge.settings.fail_mode == FailMode::kStandalone) {
        rules.insert_or_assign(FlowKey{}, Rule{normal_flow(), clock_.now()});
    }
    bridges_.push_back(std::move(bridge));
}

Bridge* FakeSwitch::bridge(std::string_view name) {
    const auto found = std::ranges::find(bridges_, name, &Bridge::name);
    return found == bridges_.end() ? nullptr : &*found;
}

void FakeSwitch::hit(std::string_view bridge, const FlowKey& key, std::uint64_t packets) {
    rules_.find(bridge)->second.at(key).flow.packets += packets;
}

void FakeSwitch::restart() {
    datapath_.clear();
    stale_.clear();
    for (const Bridge& item : bridges_) {
        rules_[item.name].clear();
        if (item.settings.fail_mode == FailMode::kStandalone) {
            rules_[item.name].insert_or_assign(FlowKey{}, Rule{normal_flow(), clock_.now()});
        }
    }
}

void FakeSwitch::fail_call(std::uint64_t nth, Error error) {
    failures_.insert_or_assign(calls_ + nth, std::move(error));
}

}  // namespace penumbra::netisolate
