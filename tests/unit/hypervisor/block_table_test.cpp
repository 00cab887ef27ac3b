#include "hypervisor/block_table.hpp"

#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;

BlockTable any_table() {
    const auto bytes = *rc::gen::inRange<std::uint64_t>(1, 5 * limits::kLeafBytes);
    BlockTable table(bytes);
    const int sets = *rc::gen::inRange(0, 12);
    for (int i = 0; i < sets; ++i) {
        const auto block = *rc::gen::inRange<std::uint64_t>(0, table.blocks());
        table.set(block, *rc::gen::element(zero_block_digest(), sha256("a"), sha256("b")));
    }
    return table;
}

RC_GTEST_PROP(BlockTable, ComesBackFromItsFile, ()) {
    const BlockTable table = any_table();
    const auto decoded = BlockTable::decode(table.encode());
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == table);
    RC_ASSERT(decoded->encode() == table.encode());
}

RC_GTEST_PROP(BlockTable, RefusesAnyChangedByte, ()) {
    std::string text = any_table().encode();
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = static_cast<char>(text[at] ^ 1);
    RC_ASSERT(!BlockTable::decode(text).has_value());
}

RC_GTEST_PROP(BlockTable, RootDependsOnContentNotOnHistory, ()) {
    const BlockTable table = any_table();
    BlockTable rebuilt(table.bytes());
    for (std::uint64_t block = table.blocks(); block-- > 0;) {
        rebuilt.set(block, sha256("something before"));
        rebuilt.set(block, table.block(block));
    }
    RC_ASSERT(rebuilt.root() == table.root());
    const auto changed = *rc::gen::inRange<std::uint64_t>(0, table.blocks());
    rebuilt.set(changed, sha256("c"));
    RC_ASSERT(rebuilt.root() != table.root());
    RC_ASSERT(table.block(changed) != sha256("c"));  // the copy shares leaves, not changes
}

RC_GTEST_PROP(BlockTable, GrowsWithZeroesAndForgetsWhatIsCutOff, ()) {
    BlockTable table = any_table();
    const BlockTable before = table;
    const auto bytes = *rc::gen::inRange<std::uint64_t>(1, 5 * limits::kLeafBytes);
    table.resize(bytes);
    const std::uint64_t kept = std::min(before.blocks(), table.blocks());
    table.resize(5 * limits::kLeafBytes);
    for (std::uint64_t block = 0; block < table.blocks(); ++block)
        RC_ASSERT(table.block(block) == (block < kept ? before.block(block) : zero_block_digest()));
}

TEST(BlockTable, AShortBlockHashesAsIfZeroesFollowed) {
    const std::vector<std::byte> block(limits::kBlockBytes);
    EXPECT_EQ(block_digest(std::span(block).first(100)), zero_block_digest());
    EXPECT_EQ(block_digest(block), zero_block_digest());
}

TEST(BlockTable, RefusesWhatItWouldNotWrite) {
    const auto sealed = [](std::string text) {
        for (const std::byte byte : sha256(text).bytes)
            text += static_cast<char>(byte);
        return text;
    };
    EXPECT_TRUE(fails(BlockTable::decode(""), ErrorCode::kDataLoss, "no header"));
    EXPECT_TRUE(fails(BlockTable::decode(sealed("penumbra-blocks 1 12x\n")), ErrorCode::kDataLoss, "size"));
    EXPECT_TRUE(
        fails(BlockTable::decode(sealed("penumbra-blocks 1 99999999999999999\n")), ErrorCode::kDataLoss, "size"));
    EXPECT_TRUE(fails(BlockTable::decode(sealed("penumbra-blocks 1 4096\n123")), ErrorCode::kDataLoss, "middle"));
}

}  // namespace
}  // namespace penumbra::hypervisor
