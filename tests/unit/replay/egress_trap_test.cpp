#include "replay/egress_trap.hpp"

#include <gtest/gtest.h>

#include "base/limits/traffic.hpp"
#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/transport.hpp"

namespace penumbra::replay {
namespace {

const packet::IpAddress kGuest = packet::IpAddress::v4(0x0a000005);

packet::Buffer tcp(const packet::IpAddress& from, const packet::Endpoint& to, unsigned flags) {
    const packet::AddressPair pair{from, to.address};
    const packet::TcpHeader header{
        .source_port = 40000, .destination_port = to.port, .flags = static_cast<std::uint8_t>(flags)};
    return packet::build_ethernet(
        {.type = packet::ether_type::kIpv4},
        packet::build_ipv4({.source = from, .destination = to.address, .protocol = packet::ip_protocol::kTcp},
                           packet::build_tcp(header, pair, {})));
}

packet::Endpoint mail(std::uint32_t host) {
    return {packet::IpAddress::v4(0xc0000200 + host), 25};
}

TEST(EgressTrap, CountsWhomAGuestTriesToReach) {
    EgressTrap trap({kGuest});
    trap.frame(tcp(kGuest, mail(1), packet::tcp_flag::kSyn));
    trap.frame(tcp(kGuest, mail(2), packet::tcp_flag::kSyn));
    trap.frame(tcp(kGuest, mail(2), packet::tcp_flag::kSyn));
    const auto targets = trap.targets();
    ASSERT_EQ(targets.size(), 2U);
    EXPECT_EQ(targets[0].target.endpoint, mail(2));
    EXPECT_EQ(targets[0].count, 2U);
    EXPECT_EQ(trap.attempts(), 3U);
}

TEST(EgressTrap, AnswersAndOurOwnTrafficAreNoAttempts) {
    EgressTrap trap({kGuest});
    trap.frame(tcp(kGuest, mail(1), packet::tcp_flag::kSyn | packet::tcp_flag::kAck));
    trap.frame(tcp(kGuest, mail(1), packet::tcp_flag::kAck));
    trap.frame(tcp(mail(1).address, {kGuest, 80}, packet::tcp_flag::kSyn));
    trap.frame(tcp(kGuest, {kGuest, 80}, packet::tcp_flag::kSyn));
    trap.frame({});
    EXPECT_EQ(trap.attempts(), 0U);
}

TEST(EgressTrap, TellsABoundedNumberOfTargetsApart) {
    EgressTrap trap({kGuest});
    for (std::uint32_t i = 0; i < limits::kEgressTargetsMax + 10; ++i)
        trap.frame(tcp(kGuest, mail(i), packet::tcp_flag::kSyn));
    EXPECT_EQ(trap.targets().size(), limits::kEgressTargetsMax);
    EXPECT_EQ(trap.attempts(), limits::kEgressTargetsMax + 10);
}

}  // namespace
}  // namespace penumbra::replay
