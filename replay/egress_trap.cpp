#include "replay/egress_trap.hpp"

#include <algorithm>

#include "base/limits/traffic.hpp"
#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/transport.hpp"

namespace penumbra::replay {

void EgressTrap::frame(packet::ByteView frame) {
    const auto ethernet = packet::parse_ethernet(frame);
    if (!ethernet || ethernet->header.type != packet::ether_type::kIpv4) return;
    const auto ip = packet::parse_ipv4(ethernet->payload);
    if (!ip || ip->header.is_fragment()) return;
    if (std::ranges::find(guests_, ip->header.source) == guests_.end()) return;
    if (std::ranges::find(guests_, ip->header.destination) != guests_.end()) return;
    if (ip->header.protocol == packet::ip_protocol::kTcp) {
        const auto tcp = packet::parse_tcp(ip->payload);
        if (!tcp || !tcp->header.has(packet::tcp_flag::kSyn) || tcp->header.has(packet::tcp_flag::kAck)) return;
        count({ip->header.protocol, {ip->header.destination, tcp->header.destination_port}});
    } else if (ip->header.protocol == packet::ip_protocol::kUdp) {
        const auto udp = packet::parse_udp(ip->payload);
        if (udp) count({ip->header.protocol, {ip->header.destination, udp->header.destination_port}});
    }
}

void EgressTrap::count(const Target& target) {
    ++attempts_;
    const auto found = targets_.find(target);
    if (found != targets_.end()) {
        ++found->second;
    } else if (targets_.size() < limits::kEgressTargetsMax) {
        targets_.emplace(target, 1);
    }
}

std::vector<EgressTrap::Attempts> EgressTrap::targets() const {
    std::vector<Attempts> all;
    for (const auto& [target, count] : targets_)
        all.push_back({target, count});
    std::ranges::stable_sort(all, [](const Attempts& a, const Attempts& b) { return a.count > b.count; });
    return all;
}

}  // namespace penumbra::replay
