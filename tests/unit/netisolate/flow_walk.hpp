#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "netisolate/isolation_plan.hpp"

namespace penumbra::netisolate::testing_values {

/// A frame as far as the tables of a sandbox look at it.
struct Frame {
    std::uint32_t in_port = 0;
    std::string source;
    std::string destination;
    bool tagged = false;
};

/// "52:54:00:00:00:01" as a number.
inline std::uint64_t mac_number(std::string_view text) {
    std::string digits(text);
    std::erase(digits, ':');
    return std::stoull(digits, nullptr, 16);
}

/// One field of a match, "dl_dst=01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0"; a field that no plan uses matches nothing.
inline bool field_matches(const Frame& frame, std::string_view field) {
    const std::string_view name = field.substr(0, field.find('='));
    const std::string_view value = field.substr(name.size() + 1);
    if (name == "in_port") {
        return frame.in_port == (value == "LOCAL" ? kLocalPortNumber : std::stoul(std::string(value)));
    }
    if (name == "vlan_tci") return value == "0x1000/0x1000" && frame.tagged;
    if (name != "dl_src" && name != "dl_dst") return false;
    const std::size_t slash = value.find('/');
    const std::uint64_t mask = slash == value.npos ? UINT64_MAX : mac_number(value.substr(slash + 1));
    const std::uint64_t own = mac_number(name == "dl_src" ? frame.source : frame.destination);
    return (own & mask) == (mac_number(value.substr(0, slash)) & mask);
}

inline bool matches(const Frame& frame, std::string_view match) {
    while (!match.empty()) {
        const std::size_t end = std::min(match.find(','), match.size());
        if (!field_matches(frame, match.substr(0, end))) return false;
        match.remove_prefix(std::min(end + 1, match.size()));
    }
    return true;
}

/// The ports that a switch with these rules sends the frame to: in each table the highest rule that matches decides, a
/// frame that none matches is dropped, and none goes back where it came from.
inline std::set<std::uint32_t> walk(const std::vector<Flow>& flows, const Frame& frame) {
    std::set<std::uint32_t> outputs;
    for (std::uint32_t table = 0; table < 255;) {
        const Flow* best = nullptr;
        for (const Flow& flow : flows) {
            if (flow.key.table != table || !matches(frame, flow.key.match)) continue;
            if (best == nullptr || flow.key.priority > best->key.priority) best = &flow;
        }
        table = 255;
        if (best == nullptr) continue;
        for (const FlowAction& action : best->actions) {
            if (action.kind == ActionKind::kOutput && action.operand != frame.in_port) outputs.insert(action.operand);
            if (action.kind == ActionKind::kGotoTable) table = action.operand;
        }
    }
    return outputs;
}

}  // namespace penumbra::netisolate::testing_values
