#include "packet/segment.hpp"

#include <gtest/gtest.h>

#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/transport.hpp"
#include "tests/unit/packet/generators.hpp"

namespace penumbra::packet {
namespace {

const AddressPair kFour{IpAddress::v4(0xc0000201), IpAddress::v4(0xc0000202)};

Buffer tcp_to_port_80(const AddressPair& pair) {
    return build_tcp({.source_port = 40123, .destination_port = 80, .sequence = 7, .flags = tcp_flag::kPsh}, pair,
                     testing::bytes_of({'G', 'E', 'T'}));
}

Buffer in_ethernet(ByteView ip, std::uint16_t type) {
    return build_ethernet({.vlans = {VlanTag{.id = 42}}, .vlan_count = 1, .type = type}, ip);
}

void expect_the_segment(const Buffer& frame) {
    const Classified classified = classify(frame);
    ASSERT_EQ(classified.kind, FrameKind::kTcp);
    EXPECT_EQ(classified.segment.vlan, 42);
    EXPECT_EQ(classified.segment.source.port, 40123);
    EXPECT_EQ(classified.segment.destination.port, 80);
    EXPECT_EQ(classified.segment.sequence, 7U);
    EXPECT_TRUE(classified.segment.has(tcp_flag::kPsh));
    EXPECT_EQ(classified.segment.payload.size(), 3U);
}

TEST(Classify, FindsTheSegmentInBothKindsOfIp) {
    const Ipv4Header four{.source = kFour.source, .destination = kFour.destination, .protocol = ip_protocol::kTcp};
    expect_the_segment(in_ethernet(build_ipv4(four, tcp_to_port_80(kFour)), ether_type::kIpv4));
    const AddressPair pair{IpAddress::parse("2001:db8::1").value(), IpAddress::parse("2001:db8::2").value()};
    const Ipv6Header six{.source = pair.source, .destination = pair.destination, .protocol = ip_protocol::kTcp};
    expect_the_segment(in_ethernet(build_ipv6(six, tcp_to_port_80(pair)), ether_type::kIpv6));
}

TEST(Classify, SaysWhyAFrameIsNoSegment) {
    const auto kind_of = [](const Ipv4Header& header, ByteView payload) {
        return classify(in_ethernet(build_ipv4(header, payload), ether_type::kIpv4)).kind;
    };
    Ipv4Header header{.source = kFour.source, .destination = kFour.destination, .protocol = ip_protocol::kTcp};
    EXPECT_EQ(kind_of(header, testing::bytes_of({1, 2, 3})), FrameKind::kMalformed);
    header.more_fragments = true;
    EXPECT_EQ(kind_of(header, tcp_to_port_80(kFour)), FrameKind::kFragment);
    header.protocol = ip_protocol::kUdp;
    EXPECT_EQ(kind_of(header, {}), FrameKind::kOther);
    EXPECT_EQ(classify(in_ethernet({}, ether_type::kArp)).kind, FrameKind::kOther);
    EXPECT_EQ(classify(in_ethernet({}, ether_type::kIpv4)).kind, FrameKind::kMalformed);
    EXPECT_EQ(classify({}).kind, FrameKind::kMalformed);
}

}  // namespace
}  // namespace penumbra::packet
