#include "packet/transport.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/checksum.hpp"
#include "packet/ip.hpp"
#include "tests/unit/packet/generators.hpp"

namespace penumbra::packet {
namespace {

AddressPair any_pair() {
    if (*rc::gen::arbitrary<bool>()) return {*testing::any_v4(), *testing::any_v4()};
    return {*testing::any_v6(), *testing::any_v6()};
}

RC_GTEST_PROP(Tcp, WhatIsBuiltParsesToTheSameWithARightChecksum, ()) {
    const Buffer options = *testing::any_options();
    const Buffer payload = *testing::any_bytes(80);
    const AddressPair pair = any_pair();
    const TcpHeader header{.source_port = *rc::gen::arbitrary<std::uint16_t>(),
                           .destination_port = *rc::gen::arbitrary<std::uint16_t>(),
                           .sequence = *rc::gen::arbitrary<std::uint32_t>(),
                           .acknowledgement = *rc::gen::arbitrary<std::uint32_t>(),
                           .flags = *rc::gen::arbitrary<std::uint8_t>(),
                           .options = options};
    const Buffer bytes = build_tcp(header, pair, payload);
    RC_ASSERT(checksum_with_pseudo_header(pair.source, pair.destination, ip_protocol::kTcp, bytes) == 0);
    const auto parsed = parse_tcp(bytes);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->header.source_port == header.source_port);
    RC_ASSERT(parsed->header.destination_port == header.destination_port);
    RC_ASSERT(parsed->header.sequence == header.sequence);
    RC_ASSERT(parsed->header.acknowledgement == header.acknowledgement);
    RC_ASSERT(parsed->header.flags == header.flags);
    RC_ASSERT(testing::same(parsed->header.options, options));
    RC_ASSERT(testing::same(parsed->payload, payload));
    const auto size = *rc::gen::inRange<std::size_t>(0, kTcpHeaderBytes + options.size());
    RC_ASSERT(!parse_tcp(ByteView(bytes).first(size)).has_value());
}

RC_GTEST_PROP(Udp, WhatIsBuiltParsesToTheSameWithARightChecksum, ()) {
    const Buffer payload = *testing::any_bytes(80);
    const AddressPair pair = any_pair();
    const UdpHeader header{.source_port = *rc::gen::arbitrary<std::uint16_t>(),
                           .destination_port = *rc::gen::arbitrary<std::uint16_t>()};
    const Buffer bytes = build_udp(header, pair, payload);
    RC_ASSERT(load_u16(bytes, 6) != 0);
    RC_ASSERT(checksum_with_pseudo_header(pair.source, pair.destination, ip_protocol::kUdp, bytes) == 0);
    const auto parsed = parse_udp(bytes);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->header.source_port == header.source_port);
    RC_ASSERT(parsed->header.destination_port == header.destination_port);
    RC_ASSERT(testing::same(parsed->payload, payload));
    const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT(!parse_udp(ByteView(bytes).first(size)).has_value());
}

RC_GTEST_PROP(Icmp, BothKindsParseToTheSameWithARightChecksum, ()) {
    const Buffer payload = *testing::any_bytes(40);
    const AddressPair pair = any_pair();
    const IcmpHeader header{.type = 8, .code = 1, .rest = *rc::gen::arbitrary<std::uint32_t>()};
    const Buffer four = build_icmp(header, payload);
    const Buffer six = build_icmp_v6(header, pair, payload);
    RC_ASSERT(checksum(four) == 0);
    RC_ASSERT(checksum_with_pseudo_header(pair.source, pair.destination, ip_protocol::kIcmpV6, six) == 0);
    for (const Buffer& bytes : {four, six}) {
        const auto parsed = parse_icmp(bytes);
        RC_ASSERT(parsed.has_value());
        RC_ASSERT(parsed->header.type == header.type);
        RC_ASSERT(parsed->header.rest == header.rest);
        RC_ASSERT(testing::same(parsed->payload, payload));
    }
}

TEST(TcpOptions, ReadsWhatALinuxSynSays) {
    const Buffer options = testing::bytes_of({2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 1, 2, 0, 0, 0, 0, 1, 3, 3, 7});
    const TcpOptions read = read_tcp_options(options);
    EXPECT_EQ(read.segment_bytes_max, 1460);
    EXPECT_TRUE(read.selective_acknowledgements);
    EXPECT_EQ(read.timestamp, 0x102U);
    EXPECT_EQ(read.window_scale, 7);
}

TEST(TcpOptions, AZeroLengthEndsTheReading) {
    EXPECT_FALSE(read_tcp_options(testing::bytes_of({2, 0, 3, 3, 7, 0, 0, 0})).window_scale.has_value());
}

}  // namespace
}  // namespace penumbra::packet
