#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "tests/contract/hypervisor/block_source_rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::contract {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kBlock = limits::kBitmapGranularityBytes;
constexpr Extent kWhole{.begin = 0, .end = BlockSourceRig::kDiskBytes};

class Source : public ::testing::Test {
 protected:
    void open(const DiskHistory& history) {
        auto opened = rig_->open(history);
        ASSERT_TRUE(is_ok(opened));
        source_ = std::move(*opened);
    }

    std::unique_ptr<BlockSourceRig> rig_ = make_block_source_rig();
    std::unique_ptr<BlockSource> source_;
};

/// Chunks of at most `bytes_max` over `wanted`, in order.
std::function<std::optional<Extent>()> chunks_of(ExtentSet wanted, std::uint64_t bytes_max) {
    return [wanted = std::move(wanted), bytes_max, at = std::uint64_t{0}]() mutable -> std::optional<Extent> {
        auto extent = wanted.first_from(at);
        if (!extent) return std::nullopt;
        extent->end = std::min(extent->end, extent->begin + bytes_max);
        at = extent->end;
        return extent;
    };
}

struct Collected {
    std::vector<std::byte> content = std::vector<std::byte>(BlockSourceRig::kDiskBytes);
    ExtentSet seen;
    ChunkSink sink() {
        return [this](Extent extent, std::span<const std::byte> data) -> Result<void> {
            EXPECT_EQ(data.size(), extent.length());
            EXPECT_TRUE(seen.clipped_to(extent).empty()) << "a chunk came twice";
            seen.insert(extent);
            std::ranges::copy(data, content.begin() + static_cast<std::ptrdiff_t>(extent.begin));
            return {};
        };
    }
};

TEST_F(Source, ReadsEveryByteOnceInChunksOfAnySize) {
    ASSERT_NO_FATAL_FAILURE(
        open({.before = {{.extent = {.begin = kMiB, .end = 3 * kMiB}, .pattern = 0x5a},
                         {.extent = {.begin = 5 * kMiB, .end = 5 * kMiB + kBlock}, .pattern = 7}}}));
    EXPECT_EQ(source_->size(), Bytes(BlockSourceRig::kDiskBytes));
    std::vector<std::byte> expected(BlockSourceRig::kDiskBytes);
    std::fill(expected.begin() + kMiB, expected.begin() + 3 * kMiB, std::byte{0x5a});
    std::fill(expected.begin() + 5 * kMiB, expected.begin() + 5 * kMiB + kBlock, std::byte{7});
    for (const std::uint64_t bytes : {limits::kReadChunkBytesMax, kBlock, std::uint64_t{4096 * 3}}) {
        Collected collected;
        EXPECT_TRUE(is_ok(source_->read(chunks_of(ExtentSet({kWhole}), bytes), collected.sink(), {})));
        EXPECT_EQ(collected.seen, ExtentSet({kWhole}));
        EXPECT_TRUE(collected.content == expected);
    }
}

TEST_F(Source, WithoutACheckpointTheWholeDiskIsDirty) {
    ASSERT_NO_FATAL_FAILURE(open({.before = {{.extent = {.begin = kMiB, .end = 2 * kMiB}, .pattern = 1}}}));
    const auto dirty = source_->dirty();
    ASSERT_TRUE(is_ok(dirty));
    EXPECT_EQ(*dirty, ExtentSet({kWhole}));
}

TEST_F(Source, SaysWhatIsZeroAndOnlyWithinWhatWasAsked) {
    const Extent data{.begin = kMiB, .end = 2 * kMiB};
    ASSERT_NO_FATAL_FAILURE(open({.before = {{.extent = data, .pattern = 1}}}));
    const auto all = source_->zeroes(ExtentSet({kWhole}));
    ASSERT_TRUE(is_ok(all));
    EXPECT_TRUE(all->clipped_to(data).empty());
    EXPECT_GE(all->bytes(), BlockSourceRig::kDiskBytes - 2 * kMiB);
    const ExtentSet windows({{.begin = kMiB / 2, .end = kMiB + kBlock}, {.begin = 4 * kMiB, .end = 5 * kMiB}});
    const auto within = source_->zeroes(windows);
    ASSERT_TRUE(is_ok(within));
    EXPECT_EQ(*within, all->intersect(windows));
    EXPECT_EQ(source_->zeroes(ExtentSet())->bytes(), 0U);
}

TEST_F(Source, OffersWhatWasWrittenOrDiscardedSinceTheCheckpoint) {
    if (!rig_->keeps_bitmaps()) GTEST_SKIP() << "this server keeps no bitmaps";
    ASSERT_NO_FATAL_FAILURE(
        open({.before = {{.extent = {.begin = 0, .end = 4 * kMiB}, .pattern = 1}},
              .checkpoint = true,
              .after = {{.extent = {.begin = kMiB + 4096, .end = kMiB + 8192}, .pattern = 2},
                        {.extent = {.begin = 2 * kMiB, .end = 2 * kMiB + 2 * kBlock}, .pattern = 0}}}));
    const auto dirty = source_->dirty();
    ASSERT_TRUE(is_ok(dirty));
    const Extent discarded{.begin = 2 * kMiB, .end = 2 * kMiB + 2 * kBlock};
    EXPECT_EQ(dirty->extents(), (std::vector<Extent>{{.begin = kMiB, .end = kMiB + kBlock}, discarded}));
    const auto zeroes = source_->zeroes(*dirty);
    ASSERT_TRUE(is_ok(zeroes));
    EXPECT_EQ(zeroes->extents(), std::vector<Extent>{discarded});
    Collected collected;
    EXPECT_TRUE(is_ok(source_->read(chunks_of(*dirty, kBlock), collected.sink(), {})));
    EXPECT_EQ(collected.content[kMiB + 4095], std::byte{1});
    EXPECT_EQ(collected.content[kMiB + 4096], std::byte{2});
    EXPECT_EQ(collected.content[2 * kMiB], std::byte{0});
}

TEST_F(Source, TheSinksErrorEndsTheReadAndComesBack) {
    ASSERT_NO_FATAL_FAILURE(open({}));
    int calls = 0;
    const auto sink = [&calls](Extent, std::span<const std::byte>) -> Result<void> {
        if (++calls < 3) return {};
        return fail(ErrorCode::kResourceExhausted, "the disk is full");
    };
    EXPECT_TRUE(fails(source_->read(chunks_of(ExtentSet({kWhole}), kBlock), sink, {}), ErrorCode::kResourceExhausted,
                      "the disk is full"));
    EXPECT_EQ(calls, 3);
}

TEST_F(Source, StopsOnRequest) {
    ASSERT_NO_FATAL_FAILURE(open({}));
    std::stop_source stop;
    std::uint64_t bytes = 0;
    const auto sink = [&](Extent extent, std::span<const std::byte>) -> Result<void> {
        stop.request_stop();
        bytes += extent.length();
        return {};
    };
    EXPECT_TRUE(
        fails(source_->read(chunks_of(ExtentSet({kWhole}), 4096), sink, stop.get_token()), ErrorCode::kCancelled));
    EXPECT_LT(bytes, BlockSourceRig::kDiskBytes);
}

TEST_F(Source, AServerThatDiesMidwayIsUnavailable) {
    ASSERT_NO_FATAL_FAILURE(open({}));
    bool killed = false;
    const auto sink = [&](Extent, std::span<const std::byte>) -> Result<void> {
        if (!std::exchange(killed, true)) rig_->kill();
        return {};
    };
    EXPECT_TRUE(fails(source_->read(chunks_of(ExtentSet({kWhole}), 4096), sink, {}), ErrorCode::kUnavailable));
    EXPECT_TRUE(fails(source_->zeroes(ExtentSet({kWhole})), ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace penumbra::hypervisor::contract
