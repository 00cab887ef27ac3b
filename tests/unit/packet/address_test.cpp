#include "packet/address.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/checksum.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/packet/generators.hpp"

namespace penumbra::packet {
namespace {

using penumbra::testing::fails;

RC_GTEST_PROP(IpAddress, TextOfAnyAddressParsesToTheSameAddress, ()) {
    const IpAddress address = *rc::gen::oneOf(testing::any_v4(), testing::any_v6());
    RC_ASSERT(IpAddress::parse(address.text()).value() == address);
}

RC_GTEST_PROP(MacAddress, TextOfAnyAddressParsesToTheSameAddress, ()) {
    const MacAddress address = *testing::any_mac();
    RC_ASSERT(MacAddress::parse(address.text()).value() == address);
}

TEST(MacAddress, RefusesWhatIsNotSixPairsOfHexDigits) {
    for (const char* text :
         {"", "52:54:00:12:34", "52:54:00:12:34:5", "52-54-00-12-34-56", "52:54:00:12:34:5g", "52:54:00:12:34:56:"}) {
        EXPECT_TRUE(fails(MacAddress::parse(text), ErrorCode::kInvalidArgument, "MAC")) << text;
    }
}

TEST(IpAddress, RefusesNamesAndCutAddresses) {
    for (const char* text : {"", "localhost", "10.0.0", "10.0.0.256", "2001:db8:::1"}) {
        EXPECT_TRUE(fails(IpAddress::parse(text), ErrorCode::kInvalidArgument, "IP address")) << text;
    }
}

TEST(IpAddress, V4AndItsMappedFormAreOne) {
    EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.7").value(), IpAddress::v4(0xc0000207));
    EXPECT_EQ(IpAddress::v4(0xc0000207).text(), "192.0.2.7");
    EXPECT_FALSE(IpAddress::parse("2001:db8::1").value().is_v4());
}

TEST(Endpoint, WritesPortsBehindBothKindsOfAddress) {
    EXPECT_EQ((Endpoint{IpAddress::v4(0xc0000207), 80}.text()), "192.0.2.7:80");
    EXPECT_EQ((Endpoint{IpAddress::parse("2001:db8::7").value(), 80}.text()), "[2001:db8::7]:80");
}

TEST(Checksum, MatchesTheExampleOfRfc1071) {
    EXPECT_EQ(checksum(testing::bytes_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})), 0x220d);
}

RC_GTEST_PROP(Checksum, OverBytesThatHoldItIsZero, ()) {
    Buffer bytes = *testing::any_bytes(64);
    if (bytes.size() % 2 != 0) append_u8(bytes, 0);
    append_u16(bytes, 0);
    store_u16(bytes, bytes.size() - 2, checksum(bytes));
    RC_ASSERT(checksum(bytes) == 0);
}

}  // namespace
}  // namespace penumbra::packet
