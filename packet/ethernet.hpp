#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet {

namespace ether_type {
inline constexpr std::uint16_t kIpv4 = 0x0800;
inline constexpr std::uint16_t kArp = 0x0806;
inline constexpr std::uint16_t kVlan = 0x8100;  ///< IEEE 802.1Q
inline constexpr std::uint16_t kIpv6 = 0x86dd;
inline constexpr std::uint16_t kServiceVlan = 0x88a8;  ///< IEEE 802.1ad, the outer tag
inline constexpr std::uint16_t kLldp = 0x88cc;
}  // namespace ether_type

struct VlanTag {
    std::uint16_t type = ether_type::kVlan;
    std::uint16_t id = 0;       ///< 12 bits
    std::uint8_t priority = 0;  ///< 3 bits
    bool drop_eligible = false;
    friend bool operator==(const VlanTag&, const VlanTag&) = default;
};

inline constexpr std::size_t kVlanTagsMax = 4;
inline constexpr std::size_t kEthernetHeaderBytes = 14;

/// Addresses, up to kVlanTagsMax tags, and the type behind them. A type below 0x600 is a length (IEEE 802.3, STP).
struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    std::array<VlanTag, kVlanTagsMax> vlans{};
    std::size_t vlan_count = 0;
    std::uint16_t type = 0;
    friend bool operator==(const EthernetHeader&, const EthernetHeader&) = default;
};

/// Nothing when the frame ends inside a header. A tag past the fourth is left as the type, with its bytes as payload.
[[nodiscard]] std::optional<Parsed<EthernetHeader>> parse_ethernet(ByteView frame);
/// No padding to 60 bytes and no frame check sequence: the kernel and the NIC add them.
[[nodiscard]] Buffer build_ethernet(const EthernetHeader& header, ByteView payload);

/// ARP over Ethernet for IPv4 (RFC 826).
struct Arp {
    std::uint16_t operation = 1;  ///< 1 asks, 2 answers
    MacAddress sender_mac;
    IpAddress sender_ip;
    MacAddress target_mac;
    IpAddress target_ip;
    friend bool operator==(const Arp&, const Arp&) = default;
};
[[nodiscard]] std::optional<Arp> parse_arp(ByteView payload);
[[nodiscard]] Buffer build_arp(const Arp& arp);

}  // namespace penumbra::packet
