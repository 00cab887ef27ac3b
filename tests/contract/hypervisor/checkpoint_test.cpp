#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/contract/hypervisor/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::contract {
namespace {

using testing::fails;
using testing::is_ok;

constexpr std::uint64_t kBlock = limits::kBitmapGranularityBytes;
const CheckpointId kFirst("penumbra.1.1000");
const CheckpointId kSecond("penumbra.2.2000");
const CheckpointId kForeign("nightly");
constexpr std::int64_t kTime = 1'700'000'123;

using Names = std::vector<std::string>;

class Checkpoints : public ::testing::Test {
 protected:
    BackupRequest request(const CheckpointId& checkpoint, const CheckpointId& since = {}) {
        return {
            .vm = rig_->vm(),
            .checkpoint = checkpoint,
            .socket = rig_->run_directory() / (checkpoint.text() + ".sock"),
            .disks = {
                {.disk = "vda", .since = since, .scratch = rig_->run_directory() / (checkpoint.text() + ".scratch")}}};
    }
    /// Begins and ends a job, so that its checkpoint stands.
    void make(const CheckpointId& name) {
        const auto job = rig_->backup().begin_backup(request(name));
        ASSERT_TRUE(is_ok(job));
        ASSERT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
    }
    Result<void> remove(const CheckpointId& name) { return rig_->backup().delete_checkpoint(rig_->vm(), name); }
    /// What we remember of one that was set aside.
    static CheckpointFacts known(const CheckpointId& name) {
        return {.name = name, .created_s = kTime, .dirty = {{"vda", std::nullopt}}};
    }
    std::vector<CheckpointFacts> list() {
        auto listed = rig_->backup().checkpoints(rig_->vm());
        EXPECT_TRUE(is_ok(listed));
        return listed.value_or(std::vector<CheckpointFacts>());
    }
    Names names() {
        Names all;
        const std::vector<CheckpointFacts> listed = list();
        for (const CheckpointFacts& checkpoint : listed)
            all.push_back(checkpoint.name.text());
        return all;
    }

    std::unique_ptr<Rig> rig_ = make_rig();
};

TEST_F(Checkpoints, AreListedOldestFirstAndDeletedOnce) {
    make(kFirst);
    make(kSecond);
    rig_->guest_write(0, 2 * kBlock, 0x5a);
    ASSERT_EQ(names(), (Names{kFirst.text(), kSecond.text()}));
    EXPECT_EQ(list()[1].dirty.at("vda"), Bytes(2 * kBlock));
    EXPECT_TRUE(fails(rig_->backup().begin_backup(request(kSecond)), ErrorCode::kAlreadyExists));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_EQ(names(), Names{kSecond.text()});
}

TEST_F(Checkpoints, ACrashBreaksTheBitmapAndSaysSo) {
    make(kFirst);
    rig_->crash();
    const std::vector<CheckpointFacts> listed = list();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_FALSE(listed[0].dirty.at("vda").has_value());
    EXPECT_TRUE(fails(rig_->backup().begin_backup(request(kSecond, kFirst)), ErrorCode::kDataLoss));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    make(kSecond);
}

TEST_F(Checkpoints, AnothersIsNotOursToDelete) {
    make(kForeign);
    EXPECT_TRUE(fails(remove(kForeign), ErrorCode::kPermissionDenied, "not ours"));
    EXPECT_TRUE(fails(remove(CheckpointId("penumbra-of-somebody")), ErrorCode::kPermissionDenied));
    rig_->power_off();
    EXPECT_TRUE(fails(remove(kForeign), ErrorCode::kPermissionDenied, "not ours"));
    EXPECT_EQ(names(), Names{kForeign.text()});
    EXPECT_EQ(rig_->stored_bitmaps(), Names{kForeign.text()});
}

TEST_F(Checkpoints, OfAVmThatIsOffGoWithTheirBitmapsAndLeaveAnothers) {
    make(kFirst);
    make(kForeign);
    make(kSecond);
    rig_->power_off();
    ASSERT_EQ(rig_->stored_bitmaps(), (Names{kForeign.text(), kFirst.text(), kSecond.text()}));
    ASSERT_EQ(names(), (Names{kFirst.text(), kForeign.text(), kSecond.text()}));
    EXPECT_FALSE(list()[0].dirty.at("vda").has_value()) << "nobody knows while it is off";
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(is_ok(remove(kSecond)));
    EXPECT_TRUE(is_ok(remove(kSecond)));
    EXPECT_EQ(names(), Names{kForeign.text()});
    EXPECT_EQ(rig_->stored_bitmaps(), Names{kForeign.text()});
    rig_->power_on();
    const auto job = rig_->backup().begin_backup(request(kFirst, kForeign));
    ASSERT_TRUE(is_ok(job)) << "the foreign one is as good as it was";
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
}

TEST_F(Checkpoints, WhoseMetadataWasLostAreFoundInTheDisksOfAVmThatIsOff) {
    make(kFirst);
    make(kForeign);
    rig_->lose_checkpoint(kFirst);
    rig_->lose_checkpoint(kForeign);
    rig_->power_off();
    const std::vector<CheckpointFacts> listed = list();
    ASSERT_EQ(listed.size(), 1U) << "a foreign bitmap is no concern of ours";
    EXPECT_EQ(listed[0].name, kFirst);
    EXPECT_TRUE(listed[0].stray);
    EXPECT_FALSE(listed[0].dirty.at("vda").has_value());
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(list().empty());
    EXPECT_EQ(rig_->stored_bitmaps(), Names{kForeign.text()});
}

TEST_F(Checkpoints, WhoseMetadataWasLostAreFoundInTheDisksOfAVmThatRunsAgain) {
    make(kFirst);
    make(kForeign);
    rig_->lose_checkpoint(kFirst);
    rig_->power_off();
    rig_->power_on();
    ASSERT_EQ(names(), (Names{kForeign.text(), kFirst.text()}));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_EQ(names(), Names{kForeign.text()});
    rig_->power_off();
    EXPECT_EQ(rig_->stored_bitmaps(), Names{kForeign.text()});
}

TEST_F(Checkpoints, WhoseMetadataWasLostGoByTheirNameWhileTheVmRuns) {
    make(kFirst);
    rig_->lose_checkpoint(kFirst);
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(list().empty());
    rig_->power_off();
    EXPECT_TRUE(rig_->stored_bitmaps().empty());
}

TEST_F(Checkpoints, StandInAnOperatorsWayUntilTheyAreSetAside) {
    make(kFirst);
    rig_->power_off();
    EXPECT_FALSE(rig_->can_be_undefined());
    EXPECT_TRUE(is_ok(rig_->backup().set_checkpoint_aside(rig_->vm(), kFirst)));
    EXPECT_TRUE(is_ok(rig_->backup().set_checkpoint_aside(rig_->vm(), kFirst)));
    EXPECT_TRUE(rig_->can_be_undefined());
    EXPECT_EQ(rig_->stored_bitmaps(), Names{kFirst.text()});
    EXPECT_TRUE(fails(rig_->backup().recall_checkpoint(rig_->vm(), known(kFirst)), ErrorCode::kUnavailable));
}

TEST_F(Checkpoints, ThatWereSetAsideCountOnAndAreBuiltOnAgain) {
    make(kFirst);
    ASSERT_TRUE(is_ok(rig_->backup().set_checkpoint_aside(rig_->vm(), kFirst)));
    EXPECT_TRUE(list().empty());
    rig_->guest_write(0, 2 * kBlock, 0x5a);
    rig_->power_off();
    rig_->power_on();
    rig_->guest_write(8 * kBlock, kBlock, 0x5b);
    for (int twice = 0; twice < 2; ++twice) {
        const auto recalled = rig_->backup().recall_checkpoint(rig_->vm(), known(kFirst));
        ASSERT_TRUE(is_ok(recalled));
        EXPECT_EQ(recalled->created_s, kTime);
        EXPECT_EQ(recalled->dirty.at("vda"), Bytes(3 * kBlock));
    }
    const auto job = rig_->backup().begin_backup(request(kSecond, kFirst));
    ASSERT_TRUE(is_ok(job));
    auto source = rig_->sources().open(*job, job->exports[0]);
    ASSERT_TRUE(is_ok(source));
    EXPECT_EQ((*source)->dirty()->bytes(), 3 * kBlock);
    source->reset();
    EXPECT_TRUE(is_ok(rig_->backup().end_backup(rig_->vm(), job->socket)));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(is_ok(rig_->backup().set_checkpoint_aside(rig_->vm(), kSecond)));
    rig_->power_off();
    EXPECT_EQ(rig_->stored_bitmaps(), Names{kSecond.text()});
}

TEST_F(Checkpoints, WhoseBitmapsAreGoneSaySoWhenTheyAreRecalled) {
    const auto recalled = rig_->backup().recall_checkpoint(rig_->vm(), known(kFirst));
    ASSERT_TRUE(is_ok(recalled));
    EXPECT_FALSE(recalled->dirty.at("vda").has_value());
    EXPECT_TRUE(fails(rig_->backup().begin_backup(request(kSecond, kFirst)), ErrorCode::kDataLoss));
    EXPECT_TRUE(is_ok(remove(kFirst)));
    EXPECT_TRUE(list().empty());
    make(kSecond);
    ASSERT_TRUE(is_ok(rig_->backup().set_checkpoint_aside(rig_->vm(), kSecond)));
    rig_->crash();
    const auto broken = rig_->backup().recall_checkpoint(rig_->vm(), known(kSecond));
    ASSERT_TRUE(is_ok(broken));
    EXPECT_FALSE(broken->dirty.at("vda").has_value());
    EXPECT_TRUE(is_ok(remove(kSecond)));
}

TEST_F(Checkpoints, OfAnotherAreNeitherSetAsideNorRecalled) {
    make(kForeign);
    EXPECT_TRUE(fails(rig_->backup().set_checkpoint_aside(rig_->vm(), kForeign), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(fails(rig_->backup().recall_checkpoint(rig_->vm(), known(kForeign)), ErrorCode::kPermissionDenied));
    EXPECT_EQ(names(), Names{kForeign.text()});
}

}  // namespace
}  // namespace penumbra::hypervisor::contract
