#include "netisolate/probe/hostile_frames.hpp"

#include <algorithm>
#include <span>

#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/transport.hpp"

namespace penumbra::netisolate {

namespace {

using packet::Buffer;
using packet::IpAddress;
using packet::MacAddress;

constexpr std::size_t kJumboBytes = 8'000;
constexpr std::size_t kOrdinaryBytes = 46;

/// Mark and number, then filling: what is found again in a frame.
Buffer payload_of(const HostileAim& aim, std::size_t index, std::size_t bytes) {
    Buffer payload(aim.mark.begin(), aim.mark.end());
    packet::append_u16(payload, static_cast<std::uint16_t>(index));
    payload.resize(std::max(payload.size(), bytes));
    return payload;
}

/// What stands behind the Ethernet header of one kind of frame.
struct Kind {
    std::uint16_t type = 0;
    std::size_t vlans = 0;
    Buffer payload;
};

/// Makes the kinds around one payload.
class Kinds {
 public:
    Kinds(const HostileAim& aim, const Buffer& marked, const Buffer& small, const Buffer& jumbo)
        : aim_(aim), marked_(marked), small_(small), jumbo_(jumbo) {}

    [[nodiscard]] std::vector<Kind> all() const {
        const packet::AddressPair pair{aim_.own_address, aim_.other_address};
        const packet::AddressPair dhcp{IpAddress::v4(0), IpAddress::v4(0xffffffff)};
        const Buffer udp = packet::build_udp({47474, 53}, pair, marked_);
        const Buffer tcp = packet::build_tcp(
            {.source_port = 47474, .destination_port = 80, .flags = packet::tcp_flag::kSyn}, pair, marked_);
        return {
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kUdp, udp)},
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kTcp, tcp)},
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kIcmp, packet::build_icmp({.type = 8}, marked_))},
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kIgmp, marked_)},
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kVrrp, marked_)},
            {packet::ether_type::kIpv4, 0, v4(0, marked_)},
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kUdp, udp, 100)},
            {packet::ether_type::kIpv4, 0,
             packet::build_ipv4({.source = dhcp.source, .destination = dhcp.destination, .protocol = 17},
                                packet::build_udp({68, 67}, dhcp, marked_))},
            {packet::ether_type::kIpv4, 0, v4(packet::ip_protocol::kUdp, packet::build_udp({67, 68}, pair, marked_))},
            {packet::ether_type::kArp, 0, arp(1, aim_.own_address, aim_.other_address)},
            {packet::ether_type::kArp, 0, arp(2, aim_.other_address, aim_.other_address)},
            {packet::ether_type::kIpv6, 0, icmp_v6(134)},  // router advertisement
            {packet::ether_type::kIpv6, 0, icmp_v6(135)},  // neighbour solicitation
            {packet::ether_type::kIpv6, 0, icmp_v6(136)},  // neighbour advertisement
            {packet::ether_type::kIpv6, 0, icmp_v6(143)},  // MLDv2 report
            {packet::ether_type::kLldp, 0, marked_},
            {0x8809, 0, marked_},  // LACP
            {0x8808, 0, marked_},  // pause
            {0x8847, 0, marked_},  // MPLS
            {0x88f7, 0, marked_},  // PTP
            {packet::ether_type::kIpv4, 1, v4(packet::ip_protocol::kUdp, udp)},
            {packet::ether_type::kIpv4, 2, v4(packet::ip_protocol::kUdp, udp)},
            {static_cast<std::uint16_t>(marked_.size() + 3), 0, bpdu()},
            {0x88b5, 0, small_},  // shorter than any wire allows
            {0x88b5, 0, jumbo_}};
    }

 private:
    [[nodiscard]] Buffer v4(std::uint8_t protocol, const Buffer& inner, std::uint16_t offset = 0) const {
        return packet::build_ipv4({.source = aim_.own_address,
                                   .destination = aim_.other_address,
                                   .protocol = protocol,
                                   .fragment_offset = offset},
                                  inner);
    }
    [[nodiscard]] Buffer arp(std::uint16_t operation, const IpAddress& sender, const IpAddress& target) const {
        Buffer frame = packet::build_arp(
            {.operation = operation, .sender_mac = aim_.own, .sender_ip = sender, .target_ip = target});
        packet::append(frame, marked_);
        return frame;
    }
    [[nodiscard]] Buffer icmp_v6(std::uint8_t type) const {
        std::array<std::uint8_t, 16> all_nodes{0xff, 2};
        all_nodes[15] = 1;
        const packet::AddressPair pair{IpAddress::v6({0xfe, 0x80}), IpAddress::v6(all_nodes)};
        return packet::build_ipv6({.source = pair.source,
                                   .destination = pair.destination,
                                   .protocol = packet::ip_protocol::kIcmpV6,
                                   .hop_limit = 255},
                                  packet::build_icmp_v6({.type = type}, pair, marked_));
    }
    /// LLC of a bridge protocol data unit.
    [[nodiscard]] Buffer bpdu() const {
        Buffer frame{std::byte{0x42}, std::byte{0x42}, std::byte{0x03}};
        packet::append(frame, marked_);
        return frame;
    }

    const HostileAim& aim_;
    const Buffer& marked_;
    const Buffer& small_;
    const Buffer& jumbo_;
};

}  // namespace

std::vector<Buffer> hostile_frames(const HostileAim& aim) {
    const std::array<MacAddress, 12> destinations = {{MacAddress::broadcast(),
                                                      {{1, 0x80, 0xc2, 0, 0, 0}},
                                                      {{1, 0x80, 0xc2, 0, 0, 1}},
                                                      {{1, 0x80, 0xc2, 0, 0, 2}},
                                                      {{1, 0x80, 0xc2, 0, 0, 14}},
                                                      {{1, 0, 0x5e, 0, 0, 1}},
                                                      {{1, 0, 0x5e, 0, 0, 18}},
                                                      {{0x33, 0x33, 0, 0, 0, 1}},
                                                      aim.other,
                                                      aim.own,
                                                      {{2, 0, 0, 0, 0, 1}},
                                                      {{0, 0, 0, 0, 0, 0}}}};
    const std::array<MacAddress, 3> sources = {{aim.own, aim.other, {{1, 0, 0, 0, 0, 5}}}};
    std::vector<Buffer> frames;
    for (const MacAddress& source : sources) {
        for (const MacAddress& destination : destinations) {
            // The number is part of the payload, so the kinds are made anew for each.
            for (std::size_t kind = 0;; ++kind) {
                const std::size_t index = frames.size();
                const Buffer marked = payload_of(aim, index, kOrdinaryBytes);
                const std::vector<Kind> kinds =
                    Kinds(aim, marked, payload_of(aim, index, 0), payload_of(aim, index, kJumboBytes)).all();
                if (kind == kinds.size()) break;
                packet::EthernetHeader header{.destination = destination, .source = source, .type = kinds[kind].type};
                header.vlan_count = kinds[kind].vlans;
                for (std::size_t i = 0; i < header.vlan_count; ++i)
                    header.vlans[i] = {.id = 7};
                frames.push_back(packet::build_ethernet(header, kinds[kind].payload));
            }
        }
    }
    return frames;
}

std::optional<std::size_t> hostile_index(const std::array<std::byte, 16>& mark, packet::ByteView frame) {
    const auto found = std::search(frame.begin(), frame.end(), mark.begin(), mark.end());
    const auto behind = static_cast<std::size_t>(frame.end() - found);
    if (behind < mark.size() + 2) return std::nullopt;
    return packet::load_u16(frame, frame.size() - behind + mark.size());
}

}  // namespace penumbra::netisolate
