#include "packet/segment.hpp"

#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/transport.hpp"

namespace penumbra::packet {

namespace {
struct Datagram {
    IpAddress source;
    IpAddress destination;
    bool fragment = false;
    ByteView payload;
};

Classified classify_tcp(std::uint16_t vlan, const Datagram& datagram) {
    if (datagram.fragment) return {.kind = FrameKind::kFragment};
    const auto tcp = parse_tcp(datagram.payload);
    if (!tcp) return {.kind = FrameKind::kMalformed};
    return {.kind = FrameKind::kTcp,
            .segment = {.vlan = vlan,
                        .source = {datagram.source, tcp->header.source_port},
                        .destination = {datagram.destination, tcp->header.destination_port},
                        .sequence = tcp->header.sequence,
                        .acknowledgement = tcp->header.acknowledgement,
                        .flags = tcp->header.flags,
                        .payload = tcp->payload}};
}
}  // namespace

Classified classify(ByteView frame) {
    const auto ethernet = parse_ethernet(frame);
    if (!ethernet) return {.kind = FrameKind::kMalformed};
    const std::uint16_t vlan = ethernet->header.vlan_count == 0 ? std::uint16_t{0} : ethernet->header.vlans[0].id;
    if (ethernet->header.type == ether_type::kIpv4) {
        const auto ip = parse_ipv4(ethernet->payload);
        if (!ip) return {.kind = FrameKind::kMalformed};
        if (ip->header.protocol != ip_protocol::kTcp) return {.kind = FrameKind::kOther};
        return classify_tcp(vlan, {ip->header.source, ip->header.destination, ip->header.is_fragment(), ip->payload});
    }
    if (ethernet->header.type == ether_type::kIpv6) {
        const auto ip = parse_ipv6(ethernet->payload);
        if (!ip) return {.kind = FrameKind::kMalformed};
        if (ip->header.protocol != ip_protocol::kTcp) return {.kind = FrameKind::kOther};
        return classify_tcp(vlan, {ip->header.source, ip->header.destination, ip->header.fragment, ip->payload});
    }
    return {.kind = FrameKind::kOther};
}

}  // namespace penumbra::packet
