#include "netisolate/netlink/netlink_links.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/c_handle.hpp"
#include "base/unique_fd.hpp"
#include "netisolate/netlink/namespace_scope.hpp"

namespace penumbra::netisolate {

namespace {

using Socket = CHandle<nl_sock, nl_socket_free>;
using Cache = CHandle<nl_cache, nl_cache_free>;
using RtLink = CHandle<rtnl_link, rtnl_link_put>;
using RtAddress = CHandle<rtnl_addr, rtnl_addr_put>;
using NlAddress = CHandle<nl_addr, nl_addr_put>;
using RtRule = CHandle<rtnl_rule, rtnl_rule_put>;
using RtRoute = CHandle<rtnl_route, rtnl_route_put>;

constexpr std::uint32_t kDeliveryTable = 100;
constexpr std::string_view kMark = "penumbra:";

tl::unexpected<Error> refused(int error, std::string_view context) {
    return fail(error == -NLE_PERM ? ErrorCode::kPermissionDenied : ErrorCode::kInternal,
                fmt::format("{}: {}", context, nl_geterror(error)));
}

Result<Socket> open_socket() {
    Socket socket(nl_socket_alloc());
    const int error = nl_connect(socket.get(), NETLINK_ROUTE);
    if (error < 0) return refused(error, "connecting to rtnetlink");
    return socket;
}

Result<RtLink> find(nl_sock* socket, const std::string& name) {
    rtnl_link* link = nullptr;
    const int error = rtnl_link_get_kernel(socket, 0, name.c_str(), &link);
    if (error == -NLE_OBJ_NOTFOUND || error == -NLE_NODEV) {
        return fail(ErrorCode::kNotFound, fmt::format("there is no link '{}'", name));
    }
    if (error < 0) return refused(error, "looking for link " + name);
    return RtLink(link);
}

std::string owner_of(rtnl_link* link) {
    const char* alias = rtnl_link_get_ifalias(link);
    const std::string_view text = alias == nullptr ? "" : alias;
    return text.starts_with(kMark) ? std::string(text.substr(kMark.size())) : "";
}

Result<RtLink> find_ours(nl_sock* socket, const std::string& name) {
    RtLink link = TRY(find(socket, name));
    if (!owner_of(link.get()).empty()) return link;
    return fail(ErrorCode::kConflict, fmt::format("link '{}' is not one of penumbra's", name));
}

Result<void> mark(nl_sock* socket, const std::string& name, const std::string& owner) {
    const RtLink link = TRY(find(socket, name));
    const RtLink change(rtnl_link_alloc());
    rtnl_link_set_ifalias(change.get(), (std::string(kMark) + owner).c_str());
    const int error = rtnl_link_change(socket, link.get(), change.get(), 0);
    if (error < 0) return refused(error, "marking link " + name);
    return {};
}

std::string ipv6_switch(const std::string& link) {
    return fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", link);
}

bool ipv6_is_on(const std::string& link) {
    char value = '1';  // a kernel without IPv6 has no such file
    std::ifstream(ipv6_switch(link)) >> value;
    return value == '0';
}

Result<void> switch_ipv6(const std::string& link, const LinkSettings& settings) {
    if (ipv6_is_on(link) == settings.ipv6) return {};
    std::ofstream file(ipv6_switch(link));
    if (file) file << (settings.ipv6 ? '0' : '1') << std::flush;
    if (file || settings.ipv6) return {};  // wanted on, but the kernel has none: less speaks, not more
    return fail(ErrorCode::kPermissionDenied, fmt::format("IPv6 of link {} cannot be switched off", link));
}

/// Transmit checksums by ethtool's ioctl: `command` is ETHTOOL_GTXCSUM or ETHTOOL_STXCSUM.
Result<std::uint32_t> checksum_offload(const std::string& link, std::uint32_t command, std::uint32_t data) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_value value{.cmd = command, .data = data};
    ifreq request{};
    link.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return fail_errno(errno, "checksum offload of " + link);
    return value.data;
}

LinkKind kind_of(rtnl_link* link) {
    const char* type = rtnl_link_get_type(link);
    const std::string_view text = type == nullptr ? "" : type;
    if (text == "veth") return LinkKind::kVeth;
    if (text == "tun") return LinkKind::kTap;
    return text == "bridge" ? LinkKind::kBridge : LinkKind::kOther;
}

std::string name_of(int index) {
    std::array<char, IF_NAMESIZE> name{};
    return ::if_indextoname(static_cast<unsigned>(index), name.data()) == nullptr ? "" : name.data();
}

Link read_link(rtnl_link* link, const std::string& space) {
    Link read{.name = rtnl_link_get_name(link), .space = space, .kind = kind_of(link), .owner = owner_of(link)};
    const unsigned flags = rtnl_link_get_flags(link);
    read.settings.up = (flags & IFF_UP) != 0;
    read.settings.arp = (flags & IFF_NOARP) == 0;
    if (const int master = rtnl_link_get_master(link); master != 0) read.settings.master = name_of(master);
    if (read.owner.empty()) return read;
    read.settings.ipv6 = ipv6_is_on(read.name);
    if (read.kind == LinkKind::kVeth) {
        const auto offload = checksum_offload(read.name, ETHTOOL_GTXCSUM, 0);
        read.settings.tx_checksum_offload = !offload.has_value() || *offload != 0;
    }
    return read;
}

Result<Cache> fill(int error, nl_cache* cache, std::string_view what) {
    if (error < 0) return refused(error, fmt::format("reading {}", what));
    return Cache(cache);
}

Result<void> read_links(nl_sock* socket, const std::string& space, NetworkState& state) {
    nl_cache* raw = nullptr;
    int error = rtnl_link_alloc_cache(socket, AF_UNSPEC, &raw);
    const Cache links = TRY(fill(error, raw, "links"));
    for (nl_object* it = nl_cache_get_first(links.get()); it != nullptr; it = nl_cache_get_next(it)) {
        Link link = read_link(reinterpret_cast<rtnl_link*>(it), space);
        if (space.empty() || link.name != "lo") state.links.push_back(std::move(link));
    }
    error = rtnl_addr_alloc_cache(socket, &raw);
    const Cache addresses = TRY(fill(error, raw, "addresses"));
    for (nl_object* it = nl_cache_get_first(addresses.get()); it != nullptr; it = nl_cache_get_next(it)) {
        auto* address = reinterpret_cast<rtnl_addr*>(it);
        if (rtnl_addr_get_scope(address) == RT_SCOPE_LINK) continue;
        Link* link = state.link(space, name_of(rtnl_addr_get_ifindex(address)));
        if (link == nullptr) continue;
        std::array<char, 64> text{};
        nl_addr2str(rtnl_addr_get_local(address), text.data(), text.size());
        link->addresses.emplace_back(text.data());
        std::ranges::sort(link->addresses);
    }
    return {};
}

Result<std::string> read_delivery(nl_sock* socket) {
    nl_cache* raw = nullptr;
    const int error = rtnl_rule_alloc_cache(socket, AF_INET, &raw);
    const Cache rules = TRY(fill(error, raw, "rules"));
    for (nl_object* it = nl_cache_get_first(rules.get()); it != nullptr; it = nl_cache_get_next(it)) {
        auto* rule = reinterpret_cast<rtnl_rule*>(it);
        const char* from = rtnl_rule_get_iif(rule);
        if (rtnl_rule_get_table(rule) == kDeliveryTable && from != nullptr) return std::string(from);
    }
    return std::string();
}

Result<void> make_tap(const std::string& name) {
    const UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!tun.valid()) return fail_errno(errno, "opening /dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (::ioctl(tun.get(), TUNSETIFF, &request) != 0 || ::ioctl(tun.get(), TUNSETPERSIST, 1) != 0) {
        return fail_errno(errno, "making tap " + name);
    }
    return {};
}

Result<void> change_address(std::string_view link, std::string_view address, bool add) {
    const Socket socket = TRY(open_socket());
    const RtLink found = TRY(find_ours(socket.get(), std::string(link)));
    nl_addr* raw = nullptr;
    if (nl_addr_parse(std::string(address).c_str(), AF_UNSPEC, &raw) < 0) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not an address", address));
    }
    const NlAddress local(raw);
    const RtAddress change(rtnl_addr_alloc());
    rtnl_addr_set_ifindex(change.get(), rtnl_link_get_ifindex(found.get()));
    rtnl_addr_set_local(change.get(), local.get());
    const int error =
        add ? rtnl_addr_add(socket.get(), change.get(), 0) : rtnl_addr_delete(socket.get(), change.get(), 0);
    if (error < 0 && error != -NLE_EXIST && error != -NLE_OBJ_NOTFOUND && error != -NLE_NOADDR) {
        return refused(error, fmt::format("address {} of {}", address, link));
    }
    return {};
}

Result<void> deliver(nl_sock* socket, std::string_view link, int family, std::string_view everything) {
    const RtRule rule(rtnl_rule_alloc());
    rtnl_rule_set_family(rule.get(), family);
    rtnl_rule_set_iif(rule.get(), std::string(link).c_str());
    rtnl_rule_set_table(rule.get(), kDeliveryTable);
    rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
    rtnl_rule_set_prio(rule.get(), kDeliveryTable);
    int error = rtnl_rule_add(socket, rule.get(), NLM_F_CREATE | NLM_F_EXCL);
    if (error < 0 && error != -NLE_EXIST) return refused(error, fmt::format("a rule for what {} receives", link));
    nl_addr* raw = nullptr;
    nl_addr_parse(std::string(everything).c_str(), family, &raw);
    const NlAddress all(raw);
    const RtRoute route(rtnl_route_alloc());
    rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(family));
    rtnl_route_set_table(route.get(), kDeliveryTable);
    rtnl_route_set_type(route.get(), RTN_LOCAL);
    rtnl_route_set_scope(route.get(), RT_SCOPE_HOST);
    rtnl_route_set_dst(route.get(), all.get());
    rtnl_nexthop* hop = rtnl_route_nh_alloc();
    rtnl_route_nh_set_ifindex(hop, static_cast<int>(::if_nametoindex("lo")));
    rtnl_route_add_nexthop(route.get(), hop);
    error = rtnl_route_add(socket, route.get(), NLM_F_CREATE | NLM_F_REPLACE);
    if (error < 0 && error != -NLE_EXIST) return refused(error, "a route that delivers everything locally");
    return {};
}

Result<void> change_flags(nl_sock* socket, rtnl_link* link, const LinkSettings& settings) {
    const RtLink change(rtnl_link_alloc());
    settings.arp ? rtnl_link_unset_flags(change.get(), IFF_NOARP) : rtnl_link_set_flags(change.get(), IFF_NOARP);
    settings.up ? rtnl_link_set_flags(change.get(), IFF_UP) : rtnl_link_unset_flags(change.get(), IFF_UP);
    const int error = rtnl_link_change(socket, link, change.get(), 0);
    if (error < 0) return refused(error, fmt::format("setting link {}", rtnl_link_get_name(link)));
    return {};
}

Result<void> set_master(nl_sock* socket, rtnl_link* link, const std::string& master) {
    const unsigned wanted = master.empty() ? 0U : ::if_nametoindex(master.c_str());
    if (!master.empty() && wanted == 0) return fail(ErrorCode::kNotFound, fmt::format("there is no link '{}'", master));
    if (rtnl_link_get_master(link) == static_cast<int>(wanted)) return {};
    const RtLink change(rtnl_link_alloc());
    rtnl_link_set_master(change.get(), static_cast<int>(wanted));
    const int error = rtnl_link_change(socket, link, change.get(), 0);
    if (error < 0) return refused(error, fmt::format("enslaving link {}", rtnl_link_get_name(link)));
    return {};
}

}  // namespace

std::string NetlinkLinks::path_of(std::string_view space) const {
    return space.empty() ? "" : (folder_ / space).string();
}

Result<NetworkState> NetlinkLinks::observe() {
    NetworkState state;
    {
        const Socket socket = TRY(open_socket());
        TRY(read_links(socket.get(), "", state));
    }
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, absent)) {
        const std::string name = entry.path().filename();
        const NamespaceScope scope = TRY(NamespaceScope::enter(entry.path()));
        const Socket socket = TRY(open_socket());
        TRY(read_links(socket.get(), name, state));
        state.spaces.push_back({.name = name, .delivers_from = TRY(read_delivery(socket.get()))});
    }
    return state;
}

Result<void> NetlinkLinks::add_space(std::string_view space) {
    const std::string path = path_of(space);
    std::error_code failed;
    if (std::filesystem::exists(path, failed)) return {};
    std::filesystem::create_directories(folder_, failed);
    if (failed) return fail_errno(failed.value(), "making " + folder_.string());
    const NamespaceScope scope = TRY(NamespaceScope::make(path));
    const Socket socket = TRY(open_socket());
    const RtLink loopback = TRY(find(socket.get(), "lo"));
    return change_flags(socket.get(), loopback.get(), {.up = true});
}

Result<void> NetlinkLinks::remove_space(std::string_view space) {
    const std::string path = path_of(space);
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) return {};
    if (::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL) return fail_errno(errno, "releasing " + path);
    if (::unlink(path.c_str()) != 0) return fail_errno(errno, "removing " + path);
    std::filesystem::remove(folder_, failed);  // with the last one; refused while others stand
    return {};
}

Result<void> NetlinkLinks::add_link(const Link& link, const Link* peer) {
    const Socket socket = TRY(open_socket());
    if (const auto there = find(socket.get(), link.name); there.has_value()) {
        if (owner_of(there->get()) == link.owner) return {};
        return fail(ErrorCode::kConflict, fmt::format("a link '{}' is there already and not ours", link.name));
    }
    if (link.kind == LinkKind::kTap) {
        TRY(make_tap(link.name));
        return mark(socket.get(), link.name, link.owner);
    }
    const RtLink made(peer != nullptr ? rtnl_link_veth_alloc() : rtnl_link_alloc());
    rtnl_link_set_name(made.get(), link.name.c_str());
    UniqueFd far;
    if (peer != nullptr) {
        far.reset(::open(path_of(peer->space).c_str(), O_RDONLY | O_CLOEXEC));
        if (!far.valid()) return fail_errno(errno, "opening namespace " + peer->space);
        const RtLink other(rtnl_link_veth_get_peer(made.get()));
        rtnl_link_set_name(other.get(), peer->name.c_str());
        rtnl_link_set_ns_fd(other.get(), far.get());
    } else {
        rtnl_link_set_type(made.get(), "bridge");
    }
    const int error = rtnl_link_add(socket.get(), made.get(), NLM_F_CREATE | NLM_F_EXCL);
    if (error < 0) return refused(error, "adding link " + link.name);
    TRY(mark(socket.get(), link.name, link.owner));
    if (peer == nullptr) return {};
    const NamespaceScope scope = TRY(NamespaceScope::enter(path_of(peer->space)));
    return mark(TRY(open_socket()).get(), peer->name, peer->owner);
}

Result<void> NetlinkLinks::remove_link(std::string_view space, std::string_view name) {
    const NamespaceScope scope = TRY(NamespaceScope::enter(path_of(space)));
    const Socket socket = TRY(open_socket());
    const auto link = find_ours(socket.get(), std::string(name));
    if (!link.has_value()) {
        if (link.error().code == ErrorCode::kNotFound) return {};
        return tl::unexpected(link.error());
    }
    const int error = rtnl_link_delete(socket.get(), link->get());
    if (error < 0) return refused(error, fmt::format("removing link {}", name));
    return {};
}

Result<void> NetlinkLinks::set(std::string_view space, std::string_view name, const LinkSettings& settings) {
    const NamespaceScope scope = TRY(NamespaceScope::enter(path_of(space)));
    const Socket socket = TRY(open_socket());
    const RtLink link = TRY(find_ours(socket.get(), std::string(name)));
    // it speaks only when all the rest stands, and is quiet before anything is loosened
    if (!settings.up) TRY(change_flags(socket.get(), link.get(), settings));
    TRY(switch_ipv6(std::string(name), settings));
    if (kind_of(link.get()) == LinkKind::kVeth) {
        TRY(checksum_offload(std::string(name), ETHTOOL_STXCSUM, settings.tx_checksum_offload ? 1 : 0));
    }
    TRY(set_master(socket.get(), link.get(), settings.master));
    return change_flags(socket.get(), link.get(), settings);
}

Result<void> NetlinkLinks::add_address(std::string_view space, std::string_view link, std::string_view address) {
    const NamespaceScope scope = TRY(NamespaceScope::enter(path_of(space)));
    return change_address(link, address, true);
}

Result<void> NetlinkLinks::remove_address(std::string_view space, std::string_view link, std::string_view address) {
    const NamespaceScope scope = TRY(NamespaceScope::enter(path_of(space)));
    return change_address(link, address, false);
}

Result<void> NetlinkLinks::deliver_from(std::string_view space, std::string_view link) {
    const NamespaceScope scope = TRY(NamespaceScope::enter(path_of(space)));
    const Socket socket = TRY(open_socket());
    return deliver(socket.get(), link, AF_INET, "0.0.0.0/0");
}

Result<void> NetlinkLinks::sever(std::span<const std::string> names) {
    const Socket socket = TRY(open_socket());
    Result<void> outcome;
    for (const std::string& name : names) {
        const auto link = find(socket.get(), name);
        if (!link.has_value()) continue;  // gone is down
        const RtLink change(rtnl_link_alloc());
        rtnl_link_unset_flags(change.get(), IFF_UP);
        const int error = rtnl_link_change(socket.get(), link->get(), change.get(), 0);
        if (error >= 0) continue;
        const Result<void> failed = refused(error, "taking link " + name + " down");
        if (outcome.has_value()) {
            outcome = failed;
        } else {
            follow_by(outcome, failed);
        }
    }
    return outcome;
}

}  // namespace penumbra::netisolate
