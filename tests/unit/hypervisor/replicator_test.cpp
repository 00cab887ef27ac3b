#include "hypervisor/replicator.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "hypervisor/fake/fake_hypervisor.hpp"
#include "hypervisor/fake/fake_replica_target.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kBlock = limits::kBlockBytes;
constexpr std::uint64_t kDiskBytes = 4 * kMiB + 512;  // the last block is short

/// A VM with one disk, a target, and a caller that begins and ends backups as the agent's hold does.
class ReplicatorTest : public ::testing::Test {
 protected:
    ReplicatorTest() {
        fake::FakeVm vm;
        vm.vm = vm_;
        vm.name = "t1";
        vm.disks.push_back(fake::blank_disk("vda", kDiskBytes));
        hypervisor_.add_vm(std::move(vm));
    }
    void write(std::uint64_t offset, std::uint64_t bytes, std::uint8_t pattern) {
        ASSERT_TRUE(is_ok(hypervisor_.guest_write(vm_, "vda", offset, std::vector(bytes, std::byte{pattern}))));
    }
    std::vector<model::DiskFacts> disks() {
        const auto vms = hypervisor_.list_vms();
        return vms->front().disks;
    }
    Result<GenerationPlan> plan() { return replicator_.plan(GroupId("shop"), vm_, disks()); }

    /// One whole generation, as the agent makes it; `during` acts as the guest while it is copied.
    Result<ReplicaManifest> make_generation(const std::function<void()>& during = {}) {
        TRY(replicator_.forget_checkpoints(vm_));
        const GenerationPlan planned = TRY(plan());
        last_reason_ = planned.decision.reason;
        const BackupJob job = TRY(hypervisor_.begin_backup(planned.backup_request("/run/t1.sock", "/run")));
        const auto progress = [&](const CopyProgress& at) -> Result<void> {
            progress_.push_back(at);
            if (during) during();
            return progress_answer_;
        };
        auto made =
            replicator_.copy(planned, job, model::Consistency::kCrash,
                             {.progress = progress, .pace = [this](Bytes size) { paced_ += size; }}, stop_.get_token());
        TRY(hypervisor_.end_backup(vm_, job.socket));
        if (!made.has_value()) return made;
        TRY(replicator_.forget_checkpoints(vm_));
        return made;
    }
    void expect_generation(std::uint64_t generation, const std::vector<std::byte>& content) {
        EXPECT_TRUE(target_.content(vm_, generation, "vda") == content) << generation;
    }

    VmId vm_{"11111111-1111-4111-8111-111111111111"};
    fake::FakeHypervisor hypervisor_;
    fake::FakeReplicaTarget target_;
    testing::FakeClock clock_;
    Replicator replicator_{hypervisor_, hypervisor_, target_, clock_};
    std::stop_source stop_;
    Bytes paced_;
    std::vector<CopyProgress> progress_;
    Result<void> progress_answer_;
    std::string last_reason_;
};

TEST_F(ReplicatorTest, FirstGenerationIsTheWholeDiskAndStoresNoZeroes) {
    write(kMiB, kMiB, 0x5a);
    write(kDiskBytes - 512, 512, 0x11);
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kFull);
    EXPECT_EQ(made->generation, 1U);
    EXPECT_EQ(made->volumes[0].read, Bytes(kMiB + 512));
    EXPECT_EQ(made->volumes[0].sent, Bytes(kMiB + 512));
    EXPECT_EQ(made->volumes[0].layers, 1U);
    expect_generation(1, hypervisor_.disk_content(vm_, "vda"));
    ASSERT_FALSE(progress_.empty());
    EXPECT_EQ(progress_.back().done, progress_.back().total);
    EXPECT_EQ(progress_.back().left, std::chrono::seconds(0));
    // Read once here and once again there, whole blocks.
    EXPECT_EQ(paced_, Bytes(kMiB + 512) + Bytes(kMiB + limits::kBlockBytes));
}

TEST_F(ReplicatorTest, NextGenerationHoldsOnlyWhatChangedDiscardsIncluded) {
    write(0, 3 * kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    write(5000, 100, 0x77);
    ASSERT_TRUE(is_ok(hypervisor_.guest_discard(vm_, "vda", {.begin = 2 * kMiB, .end = 2 * kMiB + 4 * kBlock})));
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kIncremental);
    EXPECT_EQ(made->volumes[0].read, Bytes(kBlock));
    EXPECT_EQ(made->volumes[0].zeroed, Bytes(4 * kBlock));
    EXPECT_EQ(made->volumes[0].layers, 2U);
    EXPECT_EQ(made->volumes[0].base, 1U);
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, BlocksThatTurnOutToBeZeroAreNotStored) {
    write(0, 4 * kBlock, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    write(0, 4 * kBlock, 0);  // written, so not known to be zero
    write(2 * kBlock, kBlock, 9);
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->volumes[0].read, Bytes(4 * kBlock));
    EXPECT_EQ(made->volumes[0].sent, Bytes(kBlock));
    EXPECT_EQ(made->volumes[0].zeroed, Bytes(3 * kBlock));
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, WhatTheGuestWritesMeanwhileBelongsToTheNextGeneration) {
    write(0, 2 * kMiB, 0x5a);
    const auto cut = hypervisor_.disk_content(vm_, "vda");
    ASSERT_TRUE(is_ok(make_generation([this] { write(kMiB, kBlock, 0x99); })));
    expect_generation(1, cut);
    ASSERT_TRUE(is_ok(make_generation()));
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, RotAtTheTargetIsSeenBeforeTheCommit) {
    write(0, kMiB, 0x5a);
    target_.rot_next_write();
    EXPECT_TRUE(fails(make_generation(), ErrorCode::kDataLoss, "first in block 0"));
    EXPECT_TRUE(target_.state(vm_)->generations.empty());
    ASSERT_TRUE(is_ok(make_generation()));
    expect_generation(1, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, ASourceThatDiesLeavesTheOldGenerationAndItsCheckpoint) {
    write(0, 2 * kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    const auto old = hypervisor_.disk_content(vm_, "vda");
    write(0, kMiB, 0x66);
    hypervisor_.break_reads_after(2);
    EXPECT_TRUE(fails(make_generation(), ErrorCode::kUnavailable, "copying disk vda"));
    EXPECT_EQ(target_.state(vm_)->generations.size(), 1U);
    expect_generation(1, old);
    write(kMiB, kBlock, 0x67);
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kIncremental);
    EXPECT_EQ(made->volumes[0].read, Bytes(kMiB + kBlock));  // since the old base: what failed is in it
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
    EXPECT_EQ(hypervisor_.bitmaps(vm_).size(), 1U);
}

TEST_F(ReplicatorTest, AFullTargetIsRefusedBeforehandOrEndsInOneSentence) {
    write(0, 2 * kMiB, 0x5a);
    const Bytes reserve = reserve_of(*target_.room());
    target_.set_space(Bytes(kMiB), reserve - Bytes(1));
    EXPECT_TRUE(fails(plan(), ErrorCode::kResourceExhausted, "make room"));
    target_.set_space(Bytes(kMiB), reserve + Bytes(2 * kMiB - 1));
    EXPECT_TRUE(fails(make_generation(), ErrorCode::kResourceExhausted, "may take 2 MiB: make room"));
    target_.set_space(Bytes(kMiB), Bytes(1ULL << 40U));
    EXPECT_TRUE(fails(make_generation(), ErrorCode::kResourceExhausted, "No space left"));
    EXPECT_TRUE(target_.state(vm_)->generations.empty());
}

TEST_F(ReplicatorTest, StopsOnRequestAndWhenTheProgressSaysSo) {
    write(0, 2 * kMiB, 0x5a);
    progress_answer_ = fail(ErrorCode::kResourceExhausted, "the scratch disk is nearly full");
    EXPECT_TRUE(fails(make_generation(), ErrorCode::kResourceExhausted, "scratch"));
    progress_answer_ = {};
    stop_.request_stop();
    EXPECT_TRUE(fails(make_generation(), ErrorCode::kCancelled));
    EXPECT_TRUE(target_.state(vm_)->generations.empty());
}

TEST_F(ReplicatorTest, ALostBitmapMakesTheNextOneFullWithItsReason) {
    write(0, kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    hypervisor_.crash(vm_);
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kFull);
    EXPECT_NE(made->kind_reason.find("broken"), std::string::npos);
    EXPECT_EQ(made->volumes[0].base, 0U);
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, WhatNeitherTheNewestNorAnArmLiesOnIsForgotten) {
    const auto left = [this] {
        std::vector<std::uint64_t> numbers;
        const auto state = target_.state(vm_);
        for (const ReplicaManifest& manifest : state->generations)
            numbers.push_back(manifest.generation);
        return numbers;
    };
    write(0, kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    write(0, kBlock, 0x5b);
    ASSERT_TRUE(is_ok(make_generation()));
    EXPECT_EQ(replicator_.newest_generation(vm_).value_or(0), 2U);
    ASSERT_TRUE(is_ok(replicator_.forget_generations(vm_, {{}, 2})));
    EXPECT_EQ(left(), (std::vector<std::uint64_t>{1, 2})) << "the newest lies on the first";
    hypervisor_.crash(vm_);  // the next one is full
    ASSERT_TRUE(is_ok(make_generation()));
    ASSERT_TRUE(is_ok(replicator_.forget_generations(vm_, {{2}, 3})));
    EXPECT_EQ(left(), (std::vector<std::uint64_t>{1, 2, 3}));
    ASSERT_TRUE(is_ok(replicator_.forget_generations(vm_, {{1}, 3})));
    EXPECT_EQ(left(), (std::vector<std::uint64_t>{1, 3}));
    ASSERT_TRUE(is_ok(replicator_.forget_generations(vm_, {{}, 3})));
    EXPECT_EQ(left(), (std::vector<std::uint64_t>{3}));
    expect_generation(3, hypervisor_.disk_content(vm_, "vda"));
    write(0, kBlock, 0x5c);
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kIncremental);
    EXPECT_EQ(made->generation, 4U);
}

TEST_F(ReplicatorTest, AnUnreadableBlockTableMakesTheNextOneFullWithItsReason) {
    write(0, kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    target_.break_tables(vm_, 1);
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kFull);
    EXPECT_NE(made->kind_reason.find("generation 1 cannot be built on"), std::string::npos);
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, AfterTheLongestChainComesAFullOne) {
    std::uint64_t full = 0;
    for (std::uint64_t i = 1; i <= limits::kReplicaLayersMax + 2; ++i) {
        write((i % 8) * kBlock, 100, static_cast<std::uint8_t>(i));
        const auto made = make_generation();
        ASSERT_TRUE(is_ok(made));
        EXPECT_LE(made->volumes[0].layers, limits::kReplicaLayersMax);
        full += made->kind == model::GenerationKind::kFull ? 1 : 0;
        expect_generation(i, hypervisor_.disk_content(vm_, "vda"));
    }
    EXPECT_EQ(full, 2U);
}

TEST_F(ReplicatorTest, ABackupThatWasNotPlannedIsRefused) {
    auto planned = plan();
    ASSERT_TRUE(is_ok(planned));
    const auto job = hypervisor_.begin_backup(planned->backup_request("/run/t1.sock", "/run"));
    ASSERT_TRUE(is_ok(job));
    const auto progress = [](const CopyProgress&) -> Result<void> { return {}; };
    planned->checkpoint = CheckpointId("penumbra.9.9");
    EXPECT_TRUE(fails(replicator_.copy(*planned, *job, model::Consistency::kCrash, {.progress = progress}, {}),
                      ErrorCode::kInvalidArgument, "not the one that was planned"));
    EXPECT_TRUE(fails(replicator_.plan(GroupId("shop"), vm_, {}), ErrorCode::kInvalidArgument));
}

TEST_F(ReplicatorTest, BetweenGenerationsNothingIsInAnOperatorsWay) {
    write(0, kMiB, 0x5a);
    for (int generation = 1; generation < 3; ++generation) {
        ASSERT_TRUE(is_ok(make_generation()));
        EXPECT_TRUE(hypervisor_.checkpoints(vm_)->empty());
        EXPECT_EQ(hypervisor_.bitmaps(vm_).size(), 1U) << "what counts the changes stays";
        hypervisor_.power_off(vm_);
        EXPECT_TRUE(hypervisor_.can_be_undefined(vm_));
        hypervisor_.power_on(vm_);
        write(0, kBlock, 0x66);
    }
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kIncremental) << made->kind_reason;
    EXPECT_EQ(made->volumes[0].read, Bytes(kBlock));
    expect_generation(3, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, ABitmapThatSomebodyRemovedMakesTheNextOneFullWithItsReason) {
    write(0, kMiB, 0x5a);
    const auto first = make_generation();
    ASSERT_TRUE(is_ok(first));
    ASSERT_TRUE(is_ok(hypervisor_.delete_checkpoint(vm_, first->checkpoint)));
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kFull);
    EXPECT_NE(made->kind_reason.find("broken or gone"), std::string::npos) << made->kind_reason;
    EXPECT_EQ(hypervisor_.bitmaps(vm_).size(), 1U);
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, ACheckpointThatCannotBeTakenUpMakesTheNextOneFullWithItsReason) {
    write(0, kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    hypervisor_.fail_next("recall_checkpoint", {.code = ErrorCode::kInternal, .message = "libvirt says no"});
    const auto made = make_generation();
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made->kind, model::GenerationKind::kFull);
    EXPECT_NE(made->kind_reason.find("libvirt says no"), std::string::npos) << made->kind_reason;
    expect_generation(2, hypervisor_.disk_content(vm_, "vda"));
}

TEST_F(ReplicatorTest, ForgetsOnlyItsOwnCheckpoints) {
    const auto foreign =
        hypervisor_.begin_backup({.vm = vm_, .checkpoint = CheckpointId("nightly"), .socket = "/run/x", .disks = {}});
    ASSERT_TRUE(is_ok(foreign));
    ASSERT_TRUE(is_ok(hypervisor_.end_backup(vm_, "/run/x")));
    ASSERT_TRUE(is_ok(make_generation()));
    ASSERT_TRUE(is_ok(make_generation()));
    const auto checkpoints = hypervisor_.checkpoints(vm_);
    ASSERT_TRUE(is_ok(checkpoints));
    ASSERT_EQ(checkpoints->size(), 1U);
    EXPECT_EQ(checkpoints->front().name, CheckpointId("nightly"));
    const std::vector<std::string> bitmaps = hypervisor_.bitmaps(vm_);
    ASSERT_EQ(bitmaps.size(), 1U);
    EXPECT_TRUE(bitmaps[0].starts_with("penumbra.2."));
}

/// Dies at every step of the second generation; afterwards there is the old one or the new one, whole, and the next
/// attempt makes a right one from it.
TEST_F(ReplicatorTest, DyingAtAnyStepLeavesTheOldOrTheNewGeneration) {
    write(0, 2 * kMiB, 0x5a);
    ASSERT_TRUE(is_ok(make_generation()));
    std::uint64_t newest = 1;
    std::vector<std::byte> old = hypervisor_.disk_content(vm_, "vda");
    bool survived = false;
    std::uint64_t news = 0;
    std::uint64_t step = 1;
    for (; !survived; ++step) {
        write(0, kBlock, static_cast<std::uint8_t>(step));  // the same two chunks each time: as many steps each time
        write(3 * kMiB, 600, static_cast<std::uint8_t>(step + 1));
        const std::vector<std::byte> now = hypervisor_.disk_content(vm_, "vda");
        target_.die_at(step);
        survived = make_generation().has_value();
        ASSERT_NE(survived, target_.dead());
        target_.restart();
        static_cast<void>(hypervisor_.end_backup(vm_, "/run/t1.sock"));
        ASSERT_TRUE(is_ok(replicator_.forget_checkpoints(vm_)));
        EXPECT_EQ(hypervisor_.bitmaps(vm_).size(), 1U) << "step " << step;
        const auto state = target_.state(vm_);
        ASSERT_TRUE(is_ok(state));
        const bool is_new = state->newest()->generation == newest + 1;
        ASSERT_TRUE(is_new || state->newest()->generation == newest) << "step " << step;
        news += is_new && !survived ? 1 : 0;
        newest = state->newest()->generation;
        expect_generation(newest, is_new ? now : old);
        const auto next = make_generation();
        ASSERT_TRUE(is_ok(next)) << "step " << step;
        EXPECT_EQ(next->kind, model::GenerationKind::kIncremental) << "step " << step << ": " << last_reason_;
        newest = next->generation;
        old = hypervisor_.disk_content(vm_, "vda");
        expect_generation(newest, old);
    }
    EXPECT_GE(step, 6U);
    EXPECT_EQ(news, 1U);  // the commit whose answer was lost
}

}  // namespace
}  // namespace penumbra::hypervisor
