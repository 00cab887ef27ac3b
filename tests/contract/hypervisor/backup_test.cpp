#include <algorithm>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/contract/hypervisor/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::contract {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kBlock = limits::kBitmapGranularityBytes;

class Backup : public ::testing::Test {
 protected:
    BackupRequest request(const std::string& checkpoint, const std::string& since = "") {
        return {.vm = rig_->vm(),
                .checkpoint = CheckpointId(checkpoint),
                .socket = rig_->run_directory() / (checkpoint + ".sock"),
                .disks = {{.disk = "vda",
                           .since = CheckpointId(since),
                           .scratch = rig_->run_directory() / (checkpoint + ".scratch")}}};
    }

    /// Begins and ends a job, so that its checkpoint stands.
    void make_checkpoint(const std::string& name) {
        const auto job = rig_->backup().begin_backup(request(name));
        ASSERT_TRUE(is_ok(job));
        ASSERT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
    }

    std::unique_ptr<Rig> rig_ = make_rig();
};

std::vector<std::byte> read_all(BlockSource& source, const ExtentSet& wanted) {
    std::vector<std::byte> content(source.size().count());
    std::uint64_t at = 0;
    const auto next = [&]() -> std::optional<Extent> {
        auto extent = wanted.first_from(at);
        if (!extent) return std::nullopt;
        extent->end = std::min(extent->end, extent->begin + limits::kReadChunkBytesMax);
        at = extent->end;
        return extent;
    };
    const auto sink = [&](Extent extent, std::span<const std::byte> data) -> Result<void> {
        std::ranges::copy(data, content.begin() + static_cast<std::ptrdiff_t>(extent.begin));
        return {};
    };
    EXPECT_TRUE(is_ok(source.read(next, sink, {})));
    return content;
}

/// What an agent asks all the time, and other tools do too, must not meet a cut: asked for its block nodes while it
/// makes a scratch image, QEMU 7.2 dies of an assertion, and production with it.
TEST_F(Backup, AVmThatIsLookedAtDuringItsCutsLivesOn) {
    const auto look = [&] { return rig_->inventory().disk_counters(rig_->vm()); };
    ASSERT_TRUE(is_ok(look()));
    const std::jthread looking([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            EXPECT_TRUE(is_ok(rig_->inventory().counters()));
            EXPECT_TRUE(is_ok(look()));
            EXPECT_TRUE(is_ok(rig_->inventory().list_vms()));
        }
    });
    for (int cut = 0; cut < 60 && !HasFailure(); ++cut)
        make_checkpoint("cp" + std::to_string(cut));
    EXPECT_TRUE(is_ok(look()));
}

TEST_F(Backup, FullJobOffersTheWholeDiskAsItWasAtTheCut) {
    rig_->guest_write(3 * kMiB, kMiB, 0x5a);
    const auto job = rig_->backup().begin_backup(request("cp0"));
    ASSERT_TRUE(is_ok(job));
    ASSERT_EQ(job->exports.size(), 1U);
    EXPECT_TRUE(job->exports[0].bitmap.empty());
    rig_->guest_write(3 * kMiB, kMiB, 0x11);  // after the cut: must not be seen

    auto source = rig_->sources().open(*job, job->exports[0]);
    ASSERT_TRUE(is_ok(source));
    EXPECT_EQ((*source)->size(), Bytes(Rig::kDiskBytes));
    const auto dirty = (*source)->dirty();
    ASSERT_TRUE(is_ok(dirty));
    EXPECT_EQ(dirty->bytes(), Rig::kDiskBytes);
    const auto zeroes = (*source)->zeroes(*dirty);
    ASSERT_TRUE(is_ok(zeroes));
    EXPECT_EQ(zeroes->bytes(), Rig::kDiskBytes - kMiB);
    const auto content = read_all(**source, ExtentSet({{.begin = 2 * kMiB, .end = 5 * kMiB}}));
    EXPECT_EQ(content[3 * kMiB - 1], std::byte{0});
    EXPECT_EQ(content[3 * kMiB], std::byte{0x5a});
    EXPECT_EQ(content[4 * kMiB - 1], std::byte{0x5a});
    EXPECT_EQ(content[4 * kMiB], std::byte{0});
    source->reset();
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
}

TEST_F(Backup, IncrementalJobOffersExactlyTheBlocksWrittenSince) {
    rig_->guest_write(0, 2 * kMiB, 0x5a);
    make_checkpoint("cp0");
    rig_->guest_write(kMiB + 5000, 512, 0x77);
    rig_->guest_write(12 * kMiB, 3 * kBlock, 0x78);
    const auto job = rig_->backup().begin_backup(request("cp1", "cp0"));
    ASSERT_TRUE(is_ok(job));
    EXPECT_FALSE(job->exports[0].bitmap.empty());
    auto source = rig_->sources().open(*job, job->exports[0]);
    ASSERT_TRUE(is_ok(source));
    const auto dirty = (*source)->dirty();
    ASSERT_TRUE(is_ok(dirty));
    EXPECT_EQ(dirty->extents(), (std::vector<Extent>{{.begin = kMiB, .end = kMiB + kBlock},
                                                     {.begin = 12 * kMiB, .end = 12 * kMiB + 3 * kBlock}}));
    const auto content = read_all(**source, *dirty);
    EXPECT_EQ(content[kMiB], std::byte{0x5a});
    EXPECT_EQ(content[kMiB + 5000], std::byte{0x77});
    EXPECT_EQ(content[12 * kMiB], std::byte{0x78});
    source->reset();
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
}

TEST_F(Backup, DiscardedBlocksAreBothDirtyAndZero) {
    rig_->guest_write(8 * kMiB, kMiB, 0x5a);
    make_checkpoint("cp0");
    rig_->guest_zero(8 * kMiB, 4 * kBlock);
    const auto job = rig_->backup().begin_backup(request("cp1", "cp0"));
    ASSERT_TRUE(is_ok(job));
    auto source = rig_->sources().open(*job, job->exports[0]);
    ASSERT_TRUE(is_ok(source));
    const auto dirty = (*source)->dirty();
    ASSERT_TRUE(is_ok(dirty));
    const std::vector<Extent> discarded{{.begin = 8 * kMiB, .end = 8 * kMiB + 4 * kBlock}};
    EXPECT_EQ(dirty->extents(), discarded);
    const auto zeroes = (*source)->zeroes(*dirty);
    ASSERT_TRUE(is_ok(zeroes));
    EXPECT_EQ(zeroes->extents(), discarded);
    source->reset();
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
}

TEST_F(Backup, ASecondJobIsAConflictAtOnceAndLeavesTheFirst) {
    const auto job = rig_->backup().begin_backup(request("cp0"));
    ASSERT_TRUE(is_ok(job));
    EXPECT_TRUE(fails(rig_->backup().begin_backup(request("cp1")), ErrorCode::kConflict));
    const auto status = rig_->backup().backup_status(rig_->vm());
    ASSERT_TRUE(is_ok(status));
    ASSERT_TRUE(status->has_value());
    EXPECT_EQ((*status)->socket, job->socket);
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
}

TEST_F(Backup, EndIsIdempotentAndRefusesAForeignJob) {
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), rig_->run_directory() / "none.sock")));
    const auto job = rig_->backup().begin_backup(request("cp0"));
    ASSERT_TRUE(is_ok(job));
    EXPECT_TRUE(
        fails(rig_->backup().end_backup(rig_->vm(), rig_->run_directory() / "other.sock"), ErrorCode::kConflict));
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
    const auto status = rig_->backup().backup_status(rig_->vm());
    ASSERT_TRUE(is_ok(status));
    EXPECT_FALSE(status->has_value());
}

TEST_F(Backup, ReadingAfterTheJobEndedIsUnavailable) {
    rig_->guest_write(0, kMiB, 0x5a);
    const auto job = rig_->backup().begin_backup(request("cp0"));
    ASSERT_TRUE(is_ok(job));
    auto source = rig_->sources().open(*job, job->exports[0]);
    ASSERT_TRUE(is_ok(source));
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
    bool given = false;
    const auto next = [&]() -> std::optional<Extent> {
        if (std::exchange(given, true)) return std::nullopt;
        return Extent{.begin = 0, .end = kBlock};
    };
    const auto sink = [](Extent, std::span<const std::byte>) -> Result<void> { return {}; };
    EXPECT_TRUE(fails((*source)->read(next, sink, {}), ErrorCode::kUnavailable));
    EXPECT_TRUE(fails(rig_->sources().open(*job, job->exports[0]), ErrorCode::kUnavailable));
}

TEST_F(Backup, AnUnknownVmIsNotFound) {
    const VmId nobody("99999999-9999-4999-8999-999999999999");
    EXPECT_TRUE(fails(rig_->backup().checkpoints(nobody), ErrorCode::kNotFound));
    EXPECT_TRUE(fails(rig_->backup().backup_status(nobody), ErrorCode::kNotFound));
    BackupRequest wanted = request("cp0");
    wanted.vm = nobody;
    EXPECT_TRUE(fails(rig_->backup().begin_backup(wanted), ErrorCode::kNotFound));
}

}  // namespace
}  // namespace penumbra::hypervisor::contract
