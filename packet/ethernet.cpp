#include "packet/ethernet.hpp"

#include "base/result.hpp"

namespace penumbra::packet {

namespace {
constexpr std::size_t kTagBytes = 4;
constexpr std::size_t kArpBytes = 28;

bool is_tag(std::uint16_t type) {
    return type == ether_type::kVlan || type == ether_type::kServiceVlan;
}

VlanTag tag_from(std::uint16_t type, std::uint16_t control) {
    return {.type = type,
            .id = static_cast<std::uint16_t>(control & 0x0fffU),
            .priority = static_cast<std::uint8_t>(control >> 13U),
            .drop_eligible = (control & 0x1000U) != 0};
}

std::uint16_t control_of(const VlanTag& tag) {
    return static_cast<std::uint16_t>((tag.priority & 7U) << 13U | (tag.drop_eligible ? 0x1000U : 0U) |
                                      (tag.id & 0x0fffU));
}
}  // namespace

std::optional<Parsed<EthernetHeader>> parse_ethernet(ByteView frame) {
    if (frame.size() < kEthernetHeaderBytes) return std::nullopt;
    EthernetHeader header{.destination = MacAddress::load(frame, 0), .source = MacAddress::load(frame, 6)};
    header.type = load_u16(frame, 12);
    std::size_t used = kEthernetHeaderBytes;
    while (is_tag(header.type) && header.vlan_count < kVlanTagsMax) {
        if (frame.size() < used + kTagBytes) return std::nullopt;
        header.vlans[header.vlan_count++] = tag_from(header.type, load_u16(frame, used));
        header.type = load_u16(frame, used + 2);
        used += kTagBytes;
    }
    return Parsed<EthernetHeader>{.header = header, .payload = frame.subspan(used)};
}

Buffer build_ethernet(const EthernetHeader& header, ByteView payload) {
    ASSERT(header.vlan_count <= kVlanTagsMax);
    Buffer out;
    out.reserve(kEthernetHeaderBytes + kTagBytes * header.vlan_count + payload.size());
    header.destination.append_to(out);
    header.source.append_to(out);
    for (std::size_t i = 0; i < header.vlan_count; ++i) {
        append_u16(out, header.vlans[i].type);
        append_u16(out, control_of(header.vlans[i]));
    }
    append_u16(out, header.type);
    append(out, payload);
    return out;
}

std::optional<Arp> parse_arp(ByteView payload) {
    constexpr std::uint16_t kHardwareEthernet = 1;
    if (payload.size() < kArpBytes) return std::nullopt;
    if (load_u16(payload, 0) != kHardwareEthernet || load_u16(payload, 2) != ether_type::kIpv4) return std::nullopt;
    if (load_u8(payload, 4) != 6 || load_u8(payload, 5) != 4) return std::nullopt;
    return Arp{.operation = load_u16(payload, 6),
               .sender_mac = MacAddress::load(payload, 8),
               .sender_ip = IpAddress::load_v4(payload, 14),
               .target_mac = MacAddress::load(payload, 18),
               .target_ip = IpAddress::load_v4(payload, 24)};
}

Buffer build_arp(const Arp& arp) {
    ASSERT(arp.sender_ip.is_v4() && arp.target_ip.is_v4());
    Buffer out;
    append_u16(out, 1);
    append_u16(out, ether_type::kIpv4);
    append_u8(out, 6);
    append_u8(out, 4);
    append_u16(out, arp.operation);
    arp.sender_mac.append_to(out);
    arp.sender_ip.append_to(out);
    arp.target_mac.append_to(out);
    arp.target_ip.append_to(out);
    return out;
}

}  // namespace penumbra::packet
