#include "packet/ip.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/checksum.hpp"
#include "tests/unit/packet/generators.hpp"

namespace penumbra::packet {
namespace {

RC_GTEST_PROP(Ipv4, WhatIsBuiltParsesToTheSame, ()) {
    const Buffer options = *testing::any_options();
    const Buffer payload = *testing::any_bytes(80);
    const Ipv4Header header{.source = *testing::any_v4(),
                            .destination = *testing::any_v4(),
                            .protocol = *rc::gen::arbitrary<std::uint8_t>(),
                            .ttl = *rc::gen::arbitrary<std::uint8_t>(),
                            .identification = *rc::gen::arbitrary<std::uint16_t>(),
                            .more_fragments = *rc::gen::arbitrary<bool>(),
                            .fragment_offset = *rc::gen::inRange<std::uint16_t>(0, 0x2000),
                            .options = options};
    Buffer bytes = build_ipv4(header, payload);
    RC_ASSERT(checksum(ByteView(bytes).first(kIpv4HeaderBytes + options.size())) == 0);
    bytes.resize(bytes.size() + 7);  // Ethernet's padding
    const auto parsed = parse_ipv4(bytes);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->header.source == header.source);
    RC_ASSERT(parsed->header.destination == header.destination);
    RC_ASSERT(parsed->header.protocol == header.protocol);
    RC_ASSERT(parsed->header.ttl == header.ttl);
    RC_ASSERT(parsed->header.identification == header.identification);
    RC_ASSERT(parsed->header.is_fragment() == header.is_fragment());
    RC_ASSERT(parsed->header.fragment_offset == header.fragment_offset);
    RC_ASSERT(testing::same(parsed->header.options, options));
    RC_ASSERT(testing::same(parsed->payload, payload));
}

RC_GTEST_PROP(Ipv4, ADatagramCutAnywhereIsRefused, ()) {
    const Buffer bytes =
        build_ipv4({.source = *testing::any_v4(), .destination = *testing::any_v4()}, *testing::any_bytes(20));
    const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT(!parse_ipv4(ByteView(bytes).first(size)).has_value());
}

TEST(Ipv4, RefusesLengthsThatContradictEachOther) {
    Buffer bytes = build_ipv4({.source = IpAddress::v4(1), .destination = IpAddress::v4(2)}, {});
    bytes[0] = std::byte{0x44};  // a header of 16 bytes
    EXPECT_FALSE(parse_ipv4(bytes).has_value());
    bytes[0] = std::byte{0x4f};  // a header longer than the datagram
    EXPECT_FALSE(parse_ipv4(bytes).has_value());
}

RC_GTEST_PROP(Ipv6, WhatIsBuiltParsesToTheSame, ()) {
    const Buffer payload = *testing::any_bytes(80);
    const Ipv6Header header{.source = *testing::any_v6(),
                            .destination = *testing::any_v6(),
                            .protocol = ip_protocol::kTcp,
                            .hop_limit = *rc::gen::arbitrary<std::uint8_t>(),
                            .traffic_class = *rc::gen::arbitrary<std::uint8_t>(),
                            .flow_label = *rc::gen::inRange<std::uint32_t>(0, 1U << 20U)};
    const Buffer bytes = build_ipv6(header, payload);
    const auto parsed = parse_ipv6(bytes);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->header.source == header.source);
    RC_ASSERT(parsed->header.destination == header.destination);
    RC_ASSERT(parsed->header.protocol == header.protocol);
    RC_ASSERT(parsed->header.hop_limit == header.hop_limit);
    RC_ASSERT(parsed->header.traffic_class == header.traffic_class);
    RC_ASSERT(parsed->header.flow_label == header.flow_label);
    RC_ASSERT(testing::same(parsed->payload, payload));
    const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT(!parse_ipv6(ByteView(bytes).first(size)).has_value());
}

Ipv6Header with_extensions(ByteView extensions, std::uint8_t first) {
    return {.next_header = first, .extensions = extensions};
}

TEST(Ipv6, WalksExtensionsToTheTransport) {
    const Buffer extensions = testing::bytes_of({ip_protocol::kDestinationOptions,
                                                 0,
                                                 1,
                                                 4,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 ip_protocol::kTcp,
                                                 1,
                                                 1,
                                                 12,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0});
    const Buffer payload = testing::bytes_of({1, 2, 3});
    const Buffer bytes = build_ipv6(with_extensions(extensions, ip_protocol::kHopByHop), payload);
    const auto parsed = parse_ipv6(bytes);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->header.protocol, ip_protocol::kTcp);
    EXPECT_FALSE(parsed->header.fragment);
    EXPECT_TRUE(testing::same(parsed->payload, payload));
}

TEST(Ipv6, AnAtomicFragmentIsWholeAndALaterOneIsNot) {
    Buffer extensions = testing::bytes_of({ip_protocol::kTcp, 0, 0, 0, 0, 0, 0, 9});
    EXPECT_FALSE(parse_ipv6(build_ipv6(with_extensions(extensions, ip_protocol::kFragment), {}))->header.fragment);
    store_u16(extensions, 2, 0x0008);
    EXPECT_TRUE(parse_ipv6(build_ipv6(with_extensions(extensions, ip_protocol::kFragment), {}))->header.fragment);
    store_u16(extensions, 2, 0x0001);
    EXPECT_TRUE(parse_ipv6(build_ipv6(with_extensions(extensions, ip_protocol::kFragment), {}))->header.fragment);
}

TEST(Ipv6, RefusesAnEndlessChainOfExtensions) {
    Buffer extensions;
    for (std::size_t i = 0; i <= kIpv6ExtensionsMax; ++i)
        append(extensions, testing::bytes_of({ip_protocol::kDestinationOptions, 0, 1, 4, 0, 0, 0, 0}));
    extensions[extensions.size() - 8] = std::byte{ip_protocol::kTcp};
    const Ipv6Header header = with_extensions(extensions, ip_protocol::kDestinationOptions);
    EXPECT_FALSE(parse_ipv6(build_ipv6(header, {})).has_value());
}

}  // namespace
}  // namespace penumbra::packet
