#include "netisolate/netlink/any_address.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace penumbra::netisolate {

namespace {
struct RouteRequest {
    nlmsghdr header{};
    rtmsg route{};
    std::array<char, 64> attributes{};
};

template <class T>
void add_attribute(RouteRequest& request, unsigned short type, const T& value) {
    const std::size_t at = NLMSG_ALIGN(request.header.nlmsg_len);
    rtattr attribute{};
    attribute.rta_type = type;
    attribute.rta_len = RTA_LENGTH(sizeof value);
    char* const begin = reinterpret_cast<char*>(&request) + at;
    ASSERT(at + RTA_SPACE(sizeof value) <= sizeof request);
    std::memcpy(begin, &attribute, sizeof attribute);
    std::memcpy(begin + RTA_LENGTH(0), &value, sizeof value);
    request.header.nlmsg_len = static_cast<std::uint32_t>(at + RTA_SPACE(sizeof value));
}

struct Route {
    unsigned char type = RTN_LOCAL;
    unsigned char scope = RT_SCOPE_HOST;
    unsigned char prefix = 0;
    std::uint32_t destination = 0;  // network order
    unsigned interface = 0;
};

Result<void> add_route(int netlink, const Route& route) {
    RouteRequest request;
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof(rtmsg));
    request.header.nlmsg_type = RTM_NEWROUTE;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK;
    request.route.rtm_family = AF_INET;
    request.route.rtm_dst_len = route.prefix;
    request.route.rtm_table = RT_TABLE_LOCAL;
    request.route.rtm_protocol = RTPROT_STATIC;
    request.route.rtm_scope = route.scope;
    request.route.rtm_type = route.type;
    if (route.prefix > 0) add_attribute(request, RTA_DST, route.destination);
    add_attribute(request, RTA_OIF, route.interface);
    if (::send(netlink, &request, request.header.nlmsg_len, 0) < 0) return fail_errno(errno, "asking for a route");
    struct {
        nlmsghdr header;
        nlmsgerr error;
        std::array<char, 512> rest;
    } reply{};
    const ssize_t got = ::recv(netlink, &reply, sizeof reply, 0);
    if (got < 0) return fail_errno(errno, "hearing about a route");
    if (static_cast<std::size_t>(got) < sizeof(nlmsghdr) + sizeof(int) || reply.header.nlmsg_type != NLMSG_ERROR) {
        return fail(ErrorCode::kInternal, "the kernel's answer about a route is not one");
    }
    if (reply.error.error != 0) return fail_errno(-reply.error.error, "adding a route (it takes CAP_NET_ADMIN)");
    return {};
}

Result<void> write_setting(const std::string& name, const char* value) {
    std::ofstream file("/proc/sys/net/ipv4/" + name);
    file << value << std::flush;
    if (!file) return fail(ErrorCode::kPermissionDenied, fmt::format("net.ipv4 setting {} cannot be written", name));
    return {};
}

Result<void> bring_up(const char* link) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, link, IFNAMSIZ - 1);
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0)
        return fail_errno(errno, fmt::format("looking at {}", link));
    if ((request.ifr_flags & IFF_UP) != 0) return {};
    request.ifr_flags |= IFF_UP;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
        return fail_errno(errno, fmt::format("bringing {} up", link));
    return {};
}

/// Of the main table: a line of destination 00000000 and mask 00000000 in /proc/net/route.
bool has_default_route() {
    std::ifstream table("/proc/thread-self/net/route");
    for (std::string line; std::getline(table, line);) {
        const std::size_t tab = line.find('\t');
        if (tab != std::string::npos && line.compare(tab + 1, 8, "00000000") == 0) return true;
    }
    return false;
}

bool is_first_process_namespace() {
    struct stat own{};
    struct stat first{};
    return ::stat("/proc/thread-self/ns/net", &own) == 0 && ::stat("/proc/1/ns/net", &first) == 0 &&
           own.st_ino == first.st_ino && own.st_dev == first.st_dev;
}
}  // namespace

Result<void> take_every_address(const std::string& link, std::span<const packet::IpAddress> guests) {
    if (has_default_route() || is_first_process_namespace()) {
        return fail(
            ErrorCode::kConflict,
            "this network namespace is the host's or has a default route, so it is no sandbox, and every address was "
            "to become local in it; start penumbra-sandbox in the sandbox's namespace (--netns)");
    }
    const unsigned interface = ::if_nametoindex(link.c_str());
    if (interface == 0) return fail_errno(errno, fmt::format("looking for the interface {}", link));
    TRY(bring_up("lo"));
    TRY(bring_up(link.c_str()));
    TRY(write_setting("conf/all/rp_filter", "0"));
    TRY(write_setting("conf/" + link + "/rp_filter", "0"));
    TRY(write_setting("ip_unprivileged_port_start", "0"));
    const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!netlink.valid()) return fail_errno(errno, "opening a netlink socket");
    // The guests first: between the two, none of them is taken for local.
    for (const packet::IpAddress& guest : guests) {
        if (!guest.is_v4()) continue;
        TRY(add_route(netlink.get(), {.type = RTN_UNICAST,
                                      .scope = RT_SCOPE_LINK,
                                      .prefix = 32,
                                      .destination = htonl(guest.v4_host_order()),
                                      .interface = interface}));
    }
    return add_route(netlink.get(), {.interface = ::if_nametoindex("lo")});
}

}  // namespace penumbra::netisolate
