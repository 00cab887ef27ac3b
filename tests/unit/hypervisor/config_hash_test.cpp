#include "hypervisor/config_hash.hpp"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

Digest hash_of(const DomainConfiguration& configuration) {
    const auto digest = config_hash(configuration);
    EXPECT_TRUE(is_ok(digest));
    return digest.value_or(Digest{});
}

DomainConfiguration example() {
    return {.inactive_xml = "<domain type='kvm'><name>shop</name><memory unit='KiB'>1048576</memory></domain>",
            .scheduler = {{"cpu_shares", 1024}, {"vcpu_quota", -1}},
            .iotune = {{"vda", {.limits = {{"total_bytes_sec", 0}}, .group_name = ""}}}};
}

TEST(ConfigHash, IgnoresHowTheXmlIsWritten) {
    DomainConfiguration other = example();
    other.inactive_xml =
        "<?xml version='1.0'?>\n<!-- a note -->\n<domain id=\"7\" type=\"kvm\">\n  <name>shop</name>\n"
        "  <memory unit=\"KiB\">1048576</memory>\n</domain>\n";
    EXPECT_EQ(hash_of(example()), hash_of(other));
}

TEST(ConfigHash, IgnoresLimitsOfZeroAndNamedOnes) {
    DomainConfiguration other = example();
    other.iotune["vda"].limits.clear();
    EXPECT_EQ(hash_of(example()), hash_of(other));
}

TEST(ConfigHash, SeesEveryChangeThatMatters) {
    const auto hash = hash_of(example());
    DomainConfiguration xml = example();
    xml.inactive_xml = "<domain type='kvm'><name>shop</name><memory unit='KiB'>1048577</memory></domain>";
    DomainConfiguration attribute = example();
    attribute.inactive_xml = "<domain type='qemu'><name>shop</name><memory unit='KiB'>1048576</memory></domain>";
    DomainConfiguration quota = example();
    quota.scheduler["vcpu_quota"] = 50'000;
    DomainConfiguration limit = example();
    limit.iotune["vda"].limits["total_bytes_sec"] = 1;
    DomainConfiguration group = example();
    group.iotune["vda"].group_name = "shared";
    for (const auto& changed : {xml, attribute, quota, limit, group})
        EXPECT_NE(hash_of(changed), hash);
}

TEST(ConfigHash, KeepsTheOrderOfElements) {
    EXPECT_NE(*canonical_xml("<d><a/><b/></d>"), *canonical_xml("<d><b/><a/></d>"));
    EXPECT_EQ(*canonical_xml("<d x='1' a='&lt;'/>"), *canonical_xml("<d  a=\"&#60;\" x=\"1\"></d>"));
}

TEST(ConfigHash, RefusesMalformedXml) {
    EXPECT_TRUE(fails(canonical_xml("<domain><name>"), ErrorCode::kInvalidArgument, "malformed at byte"));
    EXPECT_TRUE(fails(canonical_xml(""), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::hypervisor
