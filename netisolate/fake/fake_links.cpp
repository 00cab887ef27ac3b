#include "netisolate/fake/fake_links.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace penumbra::netisolate {

Result<void> FakeLinks::admit() {
    const auto failure = failures_.find(++calls_);
    if (failure == failures_.end()) return {};
    return tl::unexpected(failure->second);
}

Result<Link*> FakeLinks::ours(std::string_view space, std::string_view name) {
    Link* link = state_.link(space, name);
    if (link == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no link '{}'", name));
    if (link->owner.empty()) {
        return fail(ErrorCode::kConflict, fmt::format("link '{}' is not one of penumbra's", name));
    }
    return link;
}

Result<NetworkState> FakeLinks::observe() {
    TRY(admit());
    return state_;
}

Result<void> FakeLinks::add_space(std::string_view space) {
    TRY(admit());
    if (state_.space(space) == nullptr) state_.spaces.push_back({.name = std::string(space)});
    return {};
}

Result<void> FakeLinks::remove_space(std::string_view space) {
    TRY(admit());
    std::erase_if(state_.spaces, [&](const Space& item) { return item.name == space; });
    std::erase_if(state_.links, [&](const Link& item) { return item.space == space || item.peer_space == space; });
    return {};
}

Result<void> FakeLinks::add_link(const Link& link, const Link* peer) {
    TRY(admit());
    for (const Link* end : {&link, peer}) {
        if (end == nullptr) continue;
        if (!end->space.empty() && state_.space(end->space) == nullptr) {
            return fail(ErrorCode::kNotFound, fmt::format("there is no namespace '{}'", end->space));
        }
        const Link* there = state_.link(end->space, end->name);
        if (there == nullptr) continue;
        if (there->owner == end->owner) return {};
        return fail(ErrorCode::kConflict, fmt::format("a link '{}' is there already and not ours", end->name));
    }
    for (const Link* end : {&link, peer}) {
        if (end == nullptr) continue;
        Link made = *end;
        made.settings = {};
        made.addresses.clear();
        state_.links.push_back(std::move(made));
    }
    return {};
}

Result<void> FakeLinks::remove_link(std::string_view space, std::string_view name) {
    TRY(admit());
    if (state_.link(space, name) == nullptr) return {};
    const Link link = *TRY(ours(space, name));
    std::erase_if(state_.links, [&](const Link& item) {
        return (item.space == space && item.name == name) ||
               (!link.peer.empty() && item.space == link.peer_space && item.name == link.peer);
    });
    return {};
}

Result<void> FakeLinks::set(std::string_view space, std::string_view name, const LinkSettings& settings) {
    TRY(admit());
    TRY(ours(space, name))->settings = settings;
    return {};
}

Result<void> FakeLinks::add_address(std::string_view space, std::string_view link, std::string_view address) {
    TRY(admit());
    auto& addresses = TRY(ours(space, link))->addresses;
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.emplace_back(address);
    std::ranges::sort(addresses);
    return {};
}

Result<void> FakeLinks::remove_address(std::string_view space, std::string_view link, std::string_view address) {
    TRY(admit());
    std::erase(TRY(ours(space, link))->addresses, address);
    return {};
}

Result<void> FakeLinks::deliver_from(std::string_view space, std::string_view link) {
    TRY(admit());
    TRY(ours(space, link));
    for (Space& item : state_.spaces) {
        if (item.name == space) item.delivers_from = std::string(link);
    }
    return {};
}

Result<void> FakeLinks::sever(std::span<const std::string> names) {
    TRY(admit());
    for (const std::string& name : names) {
        if (Link* link = state_.link("", name); link != nullptr) link->settings.up = false;
    }
    return {};
}

void FakeLinks::fail_call(std::uint64_t nth, Error error) {
    failures_.insert_or_assign(calls_ + nth, std::move(error));
}

}  // namespace penumbra::netisolate
