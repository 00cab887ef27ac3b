#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::netisolate {

/// What the frames pretend to be, and aim at.
struct HostileAim {
    packet::MacAddress own;            ///< the clone's, which is also production's own
    packet::MacAddress other;          ///< of another machine on production's network
    packet::IpAddress own_address;     ///< IPv4
    packet::IpAddress other_address;   ///< IPv4
    std::array<std::byte, 16> mark{};  ///< stands in every frame and in nothing else; random
};

/// Everything that a hostile guest may try to reach the network with: 900 frames of 25 kinds (ARP and its gratuitous
/// form, ND, RA, MLD, IGMP, DHCP, VRRP, TCP, UDP, ICMP, fragments, tags and double tags, STP, LLDP, LACP, pause, MPLS,
/// PTP, unknown types, runts, jumbo), each to twelve destinations (broadcast, the reserved and group addresses, unicast
/// to production, to the gateway, to nobody), from three sources (own, spoofed, a group address). Pure.
[[nodiscard]] std::vector<packet::Buffer> hostile_frames(const HostileAim& aim);

/// Which of hostile_frames() this is, however it was cut or tagged on its way; nothing: none of them.
[[nodiscard]] std::optional<std::size_t> hostile_index(const std::array<std::byte, 16>& mark, packet::ByteView frame);

}  // namespace penumbra::netisolate
