#include "netisolate/network_state.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace penumbra::netisolate {

namespace {

template <class Items, class Matches>
auto* find_in(Items& items, Matches matches) {
    const auto found = std::ranges::find_if(items, matches);
    return found == items.end() ? nullptr : &*found;
}

}  // namespace

FlowAction output_to(std::uint16_t port) {
    return {.kind = ActionKind::kOutput, .operand = port, .text = fmt::format("output:{}", port)};
}

FlowAction goto_table(std::uint8_t table) {
    return {.kind = ActionKind::kGotoTable, .operand = table, .text = fmt::format("goto_table:{}", table)};
}

std::string describe(const Flow& flow) {
    std::string text = fmt::format("table={} priority={}", flow.key.table, flow.key.priority);
    if (flow.cookie != 0) text += fmt::format(" cookie={:#x}", flow.cookie);
    if (flow.hard_timeout.count() != 0) text += fmt::format(" hard_timeout={}", flow.hard_timeout.count());
    if (!flow.key.match.empty()) text += " " + flow.key.match;
    text += " actions=";
    if (flow.only_drops()) return text + "drop";
    for (const FlowAction& action : flow.actions) {
        if (&action != &flow.actions.front()) text += ",";
        text += action.text;
    }
    return text;
}

const Bridge* NetworkState::bridge(std::string_view name) const {
    return find_in(bridges, [&](const Bridge& item) { return item.name == name; });
}

Bridge* NetworkState::bridge(std::string_view name) {
    return find_in(bridges, [&](const Bridge& item) { return item.name == name; });
}

const Link* NetworkState::link(std::string_view space_name, std::string_view name) const {
    return find_in(links, [&](const Link& item) { return item.space == space_name && item.name == name; });
}

Link* NetworkState::link(std::string_view space_name, std::string_view name) {
    return find_in(links, [&](const Link& item) { return item.space == space_name && item.name == name; });
}

const Space* NetworkState::space(std::string_view name) const {
    return find_in(spaces, [&](const Space& item) { return item.name == name; });
}

const SwitchPort* find_port(const Bridge& bridge, std::string_view name) {
    return find_in(bridge.ports, [&](const SwitchPort& item) { return item.name == name; });
}

const Mirror* find_mirror(const Bridge& bridge, std::string_view name) {
    return find_in(bridge.mirrors, [&](const Mirror& item) { return item.name == name; });
}

}  // namespace penumbra::netisolate
