#include <gtest/gtest.h>

#include "tests/contract/agent/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::agent::contract {
namespace {

using testing::fails;
using testing::is_ok;

class Storage : public ::testing::Test {
 protected:
    void SetUp() override {
        std::string why;
        rig_ = make_rig(why);
        if (rig_ == nullptr) GTEST_SKIP() << why;
    }
    ArmStorage& storage() { return rig_->storage(); }

    const VmId vm_{"11111111-1111-4111-8111-111111111111"};
    std::unique_ptr<ArmStorageRig> rig_;
};

TEST_F(Storage, KnowsTheNewestGeneration) {
    EXPECT_TRUE(fails(storage().newest(vm_), ErrorCode::kNotFound, "replicate it first"));
    rig_->commit(vm_, 1);
    rig_->commit(vm_, 2);
    EXPECT_EQ(storage().newest(vm_).value_or(0), 2U);
}

TEST_F(Storage, MakesAnArmsFilesAndTakesThemAway) {
    rig_->commit(vm_, 1);
    const auto files = storage().make(vm_, 1, "s1/control", {});
    ASSERT_TRUE(is_ok(files));
    EXPECT_TRUE(files->disks.contains("vda"));
    ASSERT_TRUE(is_ok(storage().make(vm_, 1, "s1/treated", {})));
    EXPECT_EQ(storage().owners()->size(), 2U);
    ASSERT_TRUE(is_ok(storage().remove("s1/control")));
    EXPECT_EQ(*storage().owners(), std::vector<std::string>{"s1/treated"});
    ASSERT_TRUE(is_ok(storage().remove("s1/treated")));
    EXPECT_TRUE(is_ok(storage().remove("s1/treated")));
    EXPECT_TRUE(storage().owners()->empty());
}

TEST_F(Storage, WhatAGuestWritesIsTakenFromTheRoomAndGivenBack) {
    constexpr Bytes kWritten(8ULL << 20U);
    constexpr Bytes kSlack(1ULL << 20U);  // of what a file system keeps about a file
    rig_->commit(vm_, 1);
    const auto before = storage().room();
    ASSERT_TRUE(is_ok(before));
    EXPECT_LE(before->available, before->size);
    EXPECT_EQ(storage().taken("s1/control").value_or(Bytes(1)), Bytes());
    ASSERT_TRUE(is_ok(storage().make(vm_, 1, "s1/control", {})));
    EXPECT_LT(storage().taken("s1/control").value_or(kSlack), kSlack) << "an overlay is as large as what was written";
    rig_->grow("s1/control", kWritten);
    EXPECT_GE(storage().taken("s1/control").value_or(Bytes()), kWritten);
    EXPECT_LT(storage().taken("s1/control").value_or(Bytes()), kWritten + kSlack);
    EXPECT_LE(storage().room()->available + kWritten, before->available);
    EXPECT_GT(storage().room()->available + kWritten + kSlack, before->available);
    ASSERT_TRUE(is_ok(storage().remove("s1/control")));
    EXPECT_GT(storage().room()->available + kSlack, before->available);
    EXPECT_EQ(storage().room()->size, before->size);
}

}  // namespace
}  // namespace penumbra::agent::contract
