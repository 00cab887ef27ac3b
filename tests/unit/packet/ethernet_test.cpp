#include "packet/ethernet.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/unit/packet/generators.hpp"

namespace penumbra::packet {
namespace {

EthernetHeader any_header() {
    EthernetHeader header{.destination = *testing::any_mac(), .source = *testing::any_mac()};
    header.vlan_count = *rc::gen::inRange<std::size_t>(0, kVlanTagsMax + 1);
    for (std::size_t i = 0; i < header.vlan_count; ++i) {
        header.vlans[i] = {.type = *rc::gen::element(ether_type::kVlan, ether_type::kServiceVlan),
                           .id = *rc::gen::inRange<std::uint16_t>(0, 0x1000),
                           .priority = *rc::gen::inRange<std::uint8_t>(0, 8),
                           .drop_eligible = *rc::gen::arbitrary<bool>()};
    }
    header.type =
        *rc::gen::element(ether_type::kIpv4, ether_type::kArp, ether_type::kIpv6, ether_type::kLldp, std::uint16_t{38});
    return header;
}

RC_GTEST_PROP(Ethernet, WhatIsBuiltParsesToTheSame, ()) {
    const EthernetHeader header = any_header();
    const Buffer payload = *testing::any_bytes(80);
    const Buffer frame = build_ethernet(header, payload);
    const auto parsed = parse_ethernet(frame);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->header == header);
    RC_ASSERT(testing::same(parsed->payload, payload));
}

RC_GTEST_PROP(Ethernet, AHeaderCutAnywhereIsRefused, ()) {
    const EthernetHeader header = any_header();
    const Buffer frame = build_ethernet(header, {});
    const auto size = *rc::gen::inRange<std::size_t>(0, frame.size());
    RC_ASSERT(!parse_ethernet(ByteView(frame).first(size)).has_value());
}

TEST(Ethernet, AFifthTagIsLeftInThePayload) {
    EthernetHeader header{.vlan_count = kVlanTagsMax, .type = ether_type::kVlan};
    const Buffer frame = build_ethernet(header, testing::bytes_of({0, 5, 8, 0}));
    const auto parsed = parse_ethernet(frame);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->header.vlan_count, kVlanTagsMax);
    EXPECT_EQ(parsed->header.type, ether_type::kVlan);
    EXPECT_EQ(parsed->payload.size(), 4U);
}

RC_GTEST_PROP(Arp, WhatIsBuiltParsesToTheSame, ()) {
    const Arp arp{.operation = *rc::gen::element(std::uint16_t{1}, std::uint16_t{2}),
                  .sender_mac = *testing::any_mac(),
                  .sender_ip = *testing::any_v4(),
                  .target_mac = *testing::any_mac(),
                  .target_ip = *testing::any_v4()};
    const Buffer bytes = build_arp(arp);
    RC_ASSERT(parse_arp(bytes) == arp);
    RC_ASSERT(!parse_arp(ByteView(bytes).first(bytes.size() - 1)).has_value());
}

TEST(Arp, RefusesOtherHardware) {
    Buffer bytes = build_arp({.sender_ip = IpAddress::v4(1), .target_ip = IpAddress::v4(2)});
    store_u16(bytes, 0, 6);
    EXPECT_FALSE(parse_arp(bytes).has_value());
}

}  // namespace
}  // namespace penumbra::packet
