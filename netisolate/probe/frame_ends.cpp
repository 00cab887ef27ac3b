#include "netisolate/probe/frame_ends.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits/network.hpp"

namespace penumbra::netisolate {

namespace {
constexpr std::size_t kVnetHeaderBytes = 10;  // struct virtio_net_hdr, asked for by IFF_VNET_HDR
}

Result<TapEnd> TapEnd::open(const std::string& name) {
    if (::if_nametoindex(name.c_str()) == 0)
        return fail(ErrorCode::kNotFound, fmt::format("there is no link {}", name));
    UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) return fail_errno(errno, "opening /dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return fail_errno(errno, fmt::format("taking the tap {}", name));
    return TapEnd(std::move(fd));
}

Result<void> TapEnd::send(packet::ByteView frame) {
    packet::Buffer with_header(kVnetHeaderBytes);
    packet::append(with_header, frame);
    if (::write(fd_.get(), with_header.data(), with_header.size()) < 0) return fail_errno(errno, "sending by a tap");
    return {};
}

Result<LinkEnd> LinkEnd::open(const std::string& name) {
    const unsigned index = ::if_nametoindex(name.c_str());
    if (index == 0) return fail(ErrorCode::kNotFound, fmt::format("there is no link {}", name));
    // Protocol 0: receives nothing.
    UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return fail_errno(errno, "opening a packet socket");
    return LinkEnd(std::move(fd), static_cast<int>(index));
}

Result<void> LinkEnd::send(packet::ByteView frame) {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = index_;
    to.sll_halen = ETH_ALEN;
    const auto* address = reinterpret_cast<const sockaddr*>(&to);
    if (::sendto(fd_.get(), frame.data(), frame.size(), 0, address, sizeof to) >= 0) return {};
    if (errno == EMSGSIZE) return fail(ErrorCode::kInvalidArgument, "the frame is longer than the link lets through");
    return fail_errno(errno, "sending by a packet socket");
}

Result<Listener> Listener::open() {
    UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    if (!fd.valid()) return fail_errno(errno, "opening a packet socket");
    const int bytes = limits::kProbeListenBytes;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
        return fail_errno(errno, "giving a packet socket its buffer");
    }
    return Listener(std::move(fd));
}

Result<void> Listener::take(const std::function<void(const std::string& link, packet::ByteView frame)>& heard) {
    std::vector<std::byte> frame(limits::kProbeFrameBytesMax);
    for (;;) {
        sockaddr_ll from{};
        socklen_t length = sizeof from;
        const auto size =
            ::recvfrom(fd_.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == ENETDOWN)) break;
        if (size < 0) return fail_errno(errno, "listening to the host's links");
        std::array<char, IF_NAMESIZE> name{};
        if (::if_indextoname(static_cast<unsigned>(from.sll_ifindex), name.data()) == nullptr) continue;
        heard(name.data(), std::span(frame).first(static_cast<std::size_t>(size)));
    }
    tpacket_stats counts{};
    socklen_t length = sizeof counts;
    if (::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &counts, &length) != 0) {
        return fail_errno(errno, "asking how many frames were missed");
    }
    if (counts.tp_drops == 0) return {};
    return fail(ErrorCode::kDataLoss, fmt::format("{} frames of the host came faster than they could be looked at: "
                                                  "nothing can be said; probe again when the host is quieter",
                                                  counts.tp_drops));
}

}  // namespace penumbra::netisolate
