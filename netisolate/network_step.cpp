#include "netisolate/network_step.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include <fmt/format.h>

namespace penumbra::netisolate {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

std::string describe_change(const SwitchChange& change) {
    return std::visit(
        Overloaded{
            [](const AddBridge& it) { return fmt::format("adding bridge {}", it.bridge.name); },
            [](const RemoveBridge& it) { return fmt::format("removing bridge {}", it.bridge.name); },
            [](const AddPort& it) { return fmt::format("adding port {} to bridge {}", it.port.name, it.bridge); },
            [](const RemovePort& it) { return fmt::format("taking port {} off bridge {}", it.port.name, it.bridge); },
            [](const AddMirror& it) { return fmt::format("adding mirror {} to bridge {}", it.mirror.name, it.bridge); },
            [](const RemoveMirror& it) {
                return fmt::format("taking mirror {} off bridge {}", it.mirror.name, it.bridge);
            },
            [](const SetBridge& it) { return fmt::format("setting bridge {}", it.bridge); },
        },
        change);
}

const Link* pointer_to(const std::optional<Link>& link) {
    return link.has_value() ? &*link : nullptr;
}

std::vector<FlowKey> keys_of(const std::vector<Flow>& flows) {
    std::vector<FlowKey> keys;
    std::ranges::transform(flows, std::back_inserter(keys), &Flow::key);
    return keys;
}

}  // namespace

SwitchChange inverse(const SwitchChange& change) {
    return std::visit(
        Overloaded{
            [](const AddBridge& it) -> SwitchChange { return RemoveBridge{it.bridge}; },
            [](const RemoveBridge& it) -> SwitchChange { return AddBridge{it.bridge}; },
            [](const AddPort& it) -> SwitchChange { return RemovePort{it.bridge, it.port}; },
            [](const RemovePort& it) -> SwitchChange { return AddPort{it.bridge, it.port}; },
            [](const AddMirror& it) -> SwitchChange { return RemoveMirror{it.bridge, it.port, it.mirror}; },
            [](const RemoveMirror& it) -> SwitchChange { return AddMirror{it.bridge, it.port, it.mirror}; },
            [](const SetBridge& it) -> SwitchChange { return SetBridge{it.bridge, it.after, it.before}; },
        },
        change);
}

std::optional<NetworkStep> inverse(const NetworkStep& step) {
    using Undo = std::optional<NetworkStep>;
    return std::visit(Overloaded{
                          [](const AddSpace& it) -> Undo { return RemoveSpace{it.space}; },
                          [](const RemoveSpace& it) -> Undo { return AddSpace{it.space}; },
                          [](const AddLink& it) -> Undo { return RemoveLink{it.link, it.peer}; },
                          [](const RemoveLink& it) -> Undo { return AddLink{it.link, it.peer}; },
                          [](const SetLink& it) -> Undo { return SetLink{it.space, it.link, it.after, it.before}; },
                          [](const AddAddress& it) -> Undo { return RemoveAddress{it.space, it.link, it.address}; },
                          [](const RemoveAddress& it) -> Undo { return AddAddress{it.space, it.link, it.address}; },
                          [](const DeliverFrom&) -> Undo { return std::nullopt; },
                          [](const ChangeSwitch& it) -> Undo {
                              ChangeSwitch undo;
                              for (const SwitchChange& change : it.changes | std::views::reverse) {
                                  undo.changes.push_back(inverse(change));
                              }
                              return undo;
                          },
                          [](const ReplaceFlows& it) -> Undo { return ReplaceFlows{it.bridge, it.add, it.remove}; },
                      },
                      step);
}

std::string describe(const NetworkStep& step) {
    return std::visit(
        Overloaded{
            [](const AddSpace& it) { return fmt::format("making namespace {}", it.space); },
            [](const RemoveSpace& it) { return fmt::format("removing namespace {}", it.space); },
            [](const AddLink& it) { return fmt::format("adding link {}", it.link.name); },
            [](const RemoveLink& it) { return fmt::format("removing link {}", it.link.name); },
            [](const SetLink& it) { return fmt::format("setting link {}", it.link); },
            [](const AddAddress& it) { return fmt::format("adding address {} to {}", it.address, it.link); },
            [](const RemoveAddress& it) { return fmt::format("taking address {} off {}", it.address, it.link); },
            [](const DeliverFrom& it) { return fmt::format("delivering what {} receives locally", it.link); },
            [](const ChangeSwitch& it) {
                std::string text;
                for (const SwitchChange& change : it.changes) {
                    if (!text.empty()) text += ", ";
                    text += describe_change(change);
                }
                return text;
            },
            [](const ReplaceFlows& it) {
                return fmt::format("replacing {} rules of bridge {} by {}", it.remove.size(), it.bridge, it.add.size());
            },
        },
        step);
}

Result<void> carry_out(const NetworkStep& step, SwitchControl& control, LinkControl& links) {
    return std::visit(Overloaded{
                          [&](const AddSpace& it) { return links.add_space(it.space); },
                          [&](const RemoveSpace& it) { return links.remove_space(it.space); },
                          [&](const AddLink& it) { return links.add_link(it.link, pointer_to(it.peer)); },
                          [&](const RemoveLink& it) { return links.remove_link(it.link.space, it.link.name); },
                          [&](const SetLink& it) { return links.set(it.space, it.link, it.after); },
                          [&](const AddAddress& it) { return links.add_address(it.space, it.link, it.address); },
                          [&](const RemoveAddress& it) { return links.remove_address(it.space, it.link, it.address); },
                          [&](const DeliverFrom& it) { return links.deliver_from(it.space, it.link); },
                          [&](const ChangeSwitch& it) { return control.transact(it.changes); },
                          [&](const ReplaceFlows& it) {
                              return control.apply(it.bridge, {.remove = keys_of(it.remove), .add = it.add});
                          },
                      },
                      step);
}

}  // namespace penumbra::netisolate
