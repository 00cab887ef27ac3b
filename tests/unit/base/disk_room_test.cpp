#include "base/disk_room.hpp"

#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/disk.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30U;

DiskRoom room(std::uint64_t size, std::uint64_t available) {
    return {.folder = "/x", .size = Bytes(size), .available = Bytes(available)};
}

TEST(DiskRoomTest, TheReserveIsATwentiethBetweenItsBounds) {
    EXPECT_EQ(reserve_of(room(8 * kGiB, 0)), Bytes(2 * kGiB));
    EXPECT_EQ(reserve_of(room(100 * kGiB, 0)), Bytes(5 * kGiB));
    EXPECT_EQ(reserve_of(room(100'000 * kGiB, 0)), Bytes(64 * kGiB));
}

TEST(DiskRoomTest, SaysWhatIsFreeWhereAndWhatStays) {
    EXPECT_EQ(to_string(room(8 * kGiB, kGiB)),
              "the file system of /x has 1024 MiB free, and 2048 MiB stay free for production");
}

RC_GTEST_PROP(DiskRoomTest, WhatIsSpareMayBeTakenAndLeavesTheReserve, ()) {
    const std::uint64_t size = *rc::gen::inRange<std::uint64_t>(0, 200'000 * kGiB);
    const std::uint64_t available = *rc::gen::inRange<std::uint64_t>(0, size + 1);
    const DiskRoom here = room(size, available);
    const Bytes spare = spare_of(here);
    RC_ASSERT(spare <= here.available);
    RC_ASSERT(has_room_for(spare, here) == (here.available >= reserve_of(here)));
    RC_ASSERT(!has_room_for(spare + Bytes(1), here));
    RC_ASSERT(spare == Bytes() || here.available - spare == reserve_of(here));
}

TEST(DiskRoomTest, AFolderThatIsNotThereIsSaid) {
    EXPECT_TRUE(testing::fails(disk_room("/nonexistent/folder"), ErrorCode::kNotFound, "/nonexistent/folder"));
}

}  // namespace
}  // namespace penumbra
