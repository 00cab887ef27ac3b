#include "hypervisor/qcow2_layout.hpp"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::qcow2 {
namespace {

using testing::fails;
using testing::is_ok;

Header example() {
    return {.size = 5ULL << 30U,
            .l1_offset = 9 * kClusterBytes,
            .l1_entries = 10,
            .refcount_table_offset = 11 * kClusterBytes,
            .refcount_table_clusters = 1,
            .backing = "../gen-1/vda.qcow2"};
}

TEST(Qcow2Layout, HeaderComesBackWithAndWithoutBacking) {
    Header header = example();
    for (const char* backing : {"../gen-1/vda.qcow2", "", "/srv/a:b"}) {
        header.backing = backing;
        const std::string text = encode(header);
        const auto decoded = decode_header(std::as_bytes(std::span(text)));
        ASSERT_TRUE(is_ok(decoded));
        EXPECT_EQ(*decoded, header);
    }
}

TEST(Qcow2Layout, AChangedByteIsRefusedOrSaysSomethingElse) {
    const std::string text = encode(example());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 0x40);
        const auto decoded = decode_header(std::as_bytes(std::span(changed)));
        if (decoded.has_value()) {
            EXPECT_EQ(encode(*decoded), changed);
        }
        EXPECT_FALSE(decode_header(std::as_bytes(std::span(text).first(i))).has_value());
    }
}

TEST(Qcow2Layout, TablesFollowEachOtherAndRefcountsCoverThemselves) {
    for (const std::uint64_t data_clusters : {1ULL, 2ULL, 32'760ULL, 32'766ULL, 32'767ULL, 32'768ULL, 268'000'000ULL}) {
        const std::uint64_t l2_tables = data_clusters / kEntriesPerTable + 1;
        const TablePlan plan = plan_tables(data_clusters * kClusterBytes, l2_tables, 100);
        EXPECT_EQ(plan.l1_offset, (data_clusters + l2_tables) * kClusterBytes);
        EXPECT_EQ(plan.refcounts_offset, plan.l1_offset + kClusterBytes);
        EXPECT_EQ(plan.refcount_table_offset, plan.refcounts_offset + plan.refcount_blocks * kClusterBytes);
        EXPECT_EQ(plan.clusters * kClusterBytes,
                  plan.refcount_table_offset + plan.refcount_table_clusters * kClusterBytes);
        EXPECT_GE(plan.refcount_blocks * kRefcountsPerBlock, plan.clusters);
        EXPECT_LT((plan.refcount_blocks - 1) * kRefcountsPerBlock, plan.clusters);
    }
}

TEST(Qcow2Layout, ARefcountBlockCountsOnlyWhatTheFileHas) {
    const std::string block = refcount_block(1, kRefcountsPerBlock + 3);
    ASSERT_EQ(block.size(), kClusterBytes);
    EXPECT_EQ(block.substr(0, 8), std::string("\0\1\0\1\0\1\0\0", 8));
    EXPECT_EQ(refcount_block(2, kRefcountsPerBlock + 3), std::string(kClusterBytes, '\0'));
}

}  // namespace
}  // namespace penumbra::hypervisor::qcow2
