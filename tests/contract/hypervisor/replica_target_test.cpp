#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/contract/hypervisor/replica_target_rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::contract {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::uint64_t kBlock = limits::kBlockBytes;
constexpr std::uint64_t kSize = 8 * kBlock + 1024;  // the last block is short

std::vector<std::byte> filled(std::uint64_t bytes, std::uint8_t pattern) {
    return std::vector<std::byte>(bytes, std::byte{pattern});
}

class Target : public ::testing::Test {
 protected:
    ReplicaManifest manifest(std::uint64_t generation, std::uint64_t base, std::uint32_t layers) const {
        return {.group = GroupId("shop"),
                .vm = vm_,
                .generation = generation,
                .checkpoint = CheckpointId("penumbra.1.1"),
                .volumes = {{.disk = "vda", .virtual_size = Bytes(kSize), .layers = layers, .base = base}}};
    }
    /// A generation of which only `blocks` are written (by block, pattern; 0 is a zero block).
    void make(std::uint64_t generation, std::uint64_t base, std::uint32_t layers,
              const std::map<std::uint64_t, std::uint8_t>& blocks) {
        auto staged = target().stage(vm_, generation);
        ASSERT_TRUE(is_ok(staged));
        const auto volume = (*staged)->add_volume({.disk = "vda", .virtual_size = Bytes(kSize), .base = base});
        ASSERT_TRUE(is_ok(volume));
        for (const auto& [block, pattern] : blocks) {
            const std::uint64_t begin = block * kBlock;
            const std::uint64_t end = std::min(begin + kBlock, kSize);
            if (pattern == 0)
                (*volume)->zero({.begin = begin, .end = end});
            else
                ASSERT_TRUE(is_ok((*volume)->write(begin, filled(end - begin, pattern))));
        }
        ASSERT_TRUE(is_ok((*volume)->seal()));
        BlockTable table(kSize);
        table.set(0, sha256(std::to_string(generation)));
        ASSERT_TRUE(is_ok((*staged)->commit(manifest(generation, base, layers), {{"vda", table}})));
    }
    ReplicaTarget& target() { return rig_->target(); }

    VmId vm_{"11111111-1111-4111-8111-111111111111"};
    std::unique_ptr<ReplicaTargetRig> rig_ = make_replica_target_rig();
};

TEST_F(Target, HoldsNothingAtFirst) {
    const auto state = target().state(vm_);
    ASSERT_TRUE(is_ok(state));
    EXPECT_TRUE(state->generations.empty());
    EXPECT_EQ(state->next_generation, 1U);
    EXPECT_TRUE(is_ok(target().room()));
}

TEST_F(Target, ACommittedGenerationIsThereWithItsTableAndContent) {
    ASSERT_NO_FATAL_FAILURE(make(1, 0, 1, {{1, 7}, {8, 9}, {3, 0}}));
    const auto state = target().state(vm_);
    ASSERT_TRUE(is_ok(state));
    ASSERT_EQ(state->generations.size(), 1U);
    EXPECT_EQ(state->next_generation, 2U);
    const auto table = target().table(state->generations[0], "vda");
    ASSERT_TRUE(is_ok(table));
    EXPECT_EQ(table->block(0), sha256("1"));
    EXPECT_EQ(state->generations[0].volumes[0].table, sha256(table->encode()));
    std::vector<std::byte> expected(kSize);
    std::fill_n(expected.begin() + kBlock, kBlock, std::byte{7});
    std::fill(expected.begin() + 8 * kBlock, expected.end(), std::byte{9});
    EXPECT_TRUE(rig_->content(vm_, 1, "vda") == expected);
}

TEST_F(Target, WhatWasNotCommittedNeverWas) {
    {
        auto staged = target().stage(vm_, 1);
        ASSERT_TRUE(is_ok(staged));
        const auto volume = (*staged)->add_volume({.disk = "vda", .virtual_size = Bytes(kSize)});
        ASSERT_TRUE(is_ok(volume));
        ASSERT_TRUE(is_ok((*volume)->write(0, filled(kBlock, 1))));
    }
    EXPECT_TRUE(target().state(vm_)->generations.empty());
    ASSERT_NO_FATAL_FAILURE(make(1, 0, 1, {{0, 2}}));
    EXPECT_EQ(rig_->content(vm_, 1, "vda")[0], std::byte{2});
    EXPECT_TRUE(fails(target().stage(vm_, 1), ErrorCode::kAlreadyExists));
}

TEST_F(Target, ALayerHidesWhatLiesBelowOnlyWhereItHoldsSomething) {
    ASSERT_NO_FATAL_FAILURE(make(1, 0, 1, {{0, 1}, {1, 2}, {2, 3}, {8, 4}}));
    ASSERT_NO_FATAL_FAILURE(make(2, 1, 2, {{1, 0}, {2, 9}}));
    const auto first = rig_->content(vm_, 1, "vda");
    EXPECT_EQ(first[kBlock], std::byte{2});
    const auto second = rig_->content(vm_, 2, "vda");
    EXPECT_EQ(second[0], std::byte{1});
    EXPECT_EQ(second[kBlock], std::byte{0});
    EXPECT_EQ(second[2 * kBlock], std::byte{9});
    EXPECT_EQ(second[kSize - 1], std::byte{4});
}

TEST_F(Target, RereadGivesTheDigestOfEveryBlockTheLayerHolds) {
    ASSERT_NO_FATAL_FAILURE(make(1, 0, 1, {{0, 1}}));
    auto staged = target().stage(vm_, 2);
    ASSERT_TRUE(is_ok(staged));
    const auto volume = (*staged)->add_volume({.disk = "vda", .virtual_size = Bytes(kSize), .base = 1});
    ASSERT_TRUE(is_ok(volume));
    ASSERT_TRUE(is_ok((*volume)->write(3 * kBlock, filled(2 * kBlock, 5))));
    ASSERT_TRUE(is_ok((*volume)->write(8 * kBlock, filled(1024, 6))));
    (*volume)->zero({.begin = kBlock, .end = 2 * kBlock});
    ASSERT_TRUE(is_ok((*volume)->seal()));
    std::map<std::uint64_t, Digest> seen;
    ASSERT_TRUE(is_ok((*volume)->reread([&seen](std::uint64_t block, const Digest& digest) -> Result<void> {
        seen.emplace(block, digest);
        return {};
    })));
    const std::map<std::uint64_t, Digest> expected{{1, zero_block_digest()},
                                                   {3, block_digest(filled(kBlock, 5))},
                                                   {4, block_digest(filled(kBlock, 5))},
                                                   {8, block_digest(filled(1024, 6))}};
    EXPECT_EQ(seen, expected);
    const auto stop = [](std::uint64_t, const Digest&) -> Result<void> {
        return fail(ErrorCode::kCancelled, "enough");
    };
    EXPECT_TRUE(fails((*volume)->reread(stop), ErrorCode::kCancelled, "enough"));
}

TEST_F(Target, OnlyAGenerationWithNothingOnItCanBeRemoved) {
    ASSERT_NO_FATAL_FAILURE(make(1, 0, 1, {{0, 1}}));
    ASSERT_NO_FATAL_FAILURE(make(2, 1, 2, {{1, 2}}));
    ASSERT_NO_FATAL_FAILURE(make(3, 0, 1, {{0, 3}}));
    EXPECT_TRUE(fails(target().remove(vm_, 1), ErrorCode::kConflict));
    EXPECT_TRUE(is_ok(target().remove(vm_, 2)));
    EXPECT_TRUE(is_ok(target().remove(vm_, 1)));
    EXPECT_TRUE(is_ok(target().remove(vm_, 1)));
    const auto state = target().state(vm_);
    ASSERT_TRUE(is_ok(state));
    ASSERT_EQ(state->generations.size(), 1U);
    EXPECT_EQ(state->generations[0].generation, 3U);
    EXPECT_EQ(state->next_generation, 4U);
}

}  // namespace
}  // namespace penumbra::hypervisor::contract
