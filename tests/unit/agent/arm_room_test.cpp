#include "agent/arm_room.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/disk.hpp"
#include "base/limits/flows.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::agent {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;

DiskRoom room(Bytes available) {
    return {.folder = "/arms", .size = Bytes(16ULL << 30U), .available = available};
}
const Bytes kReserve = reserve_of(room(Bytes()));

TEST(ArmRoom, AdmitsArmsThatLeaveTheReserveWhole) {
    const Bytes enough = kReserve + limits::kArmDiskNeed + limits::kArmDiskNeed;
    EXPECT_TRUE(testing::is_ok(admit_arms(ShadowId("s1"), 2, room(enough))));
    EXPECT_TRUE(testing::fails(admit_arms(ShadowId("s1"), 2, room(enough - Bytes(1))), ErrorCode::kResourceExhausted,
                               "the file system of /arms has 4095 MiB free, and 2048 MiB stay free for production; "
                               "the arms of shadow s1 need 2048 MiB: make room"));
}

TEST(ArmRoom, TheOneThatTookTheMostGoesAndThoseThatTookLittleStay) {
    const std::vector<ShadowTake> standing{{.shadow = ShadowId("small"), .taken = Bytes(10 * kMiB)},
                                           {.shadow = ShadowId("greedy"), .taken = Bytes(4096 * kMiB)}};
    EXPECT_TRUE(shadows_to_end(room(kReserve), standing).empty());
    EXPECT_EQ(shadows_to_end(room(kReserve - Bytes(1)), standing), std::vector{ShadowId("greedy")});
}

std::vector<ShadowTake> some_shadows() {
    std::vector<ShadowTake> standing;
    for (const std::uint64_t taken : *rc::gen::container<std::vector<std::uint64_t>>(
             rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 8), rc::gen::inRange<std::uint64_t>(0, 4096 * kMiB))))
        standing.push_back({.shadow = ShadowId("s" + std::to_string(standing.size())), .taken = Bytes(taken)});
    return standing;
}

RC_GTEST_PROP(ArmRoom, EndsAsFewAsBringTheReserveBackOrAll, ()) {
    const std::vector<ShadowTake> standing = some_shadows();
    const DiskRoom before = room(Bytes(*rc::gen::inRange<std::uint64_t>(0, 2 * kReserve.count())));
    const std::vector<ShadowId> ended = shadows_to_end(before, standing);
    if (before.available >= kReserve) {
        RC_ASSERT(ended.empty());
        return;
    }
    const std::set<ShadowId> gone(ended.begin(), ended.end());
    RC_ASSERT(gone.size() == ended.size());
    DiskRoom after = before;
    DiskRoom without_last = before;
    Bytes least_gone(UINT64_MAX);
    Bytes most_left;
    for (const ShadowTake& take : standing) {
        if (!gone.contains(take.shadow)) {
            most_left = std::max(most_left, take.taken);
            continue;
        }
        least_gone = std::min(least_gone, take.taken);
        after.available += take.taken;
        if (take.shadow != ended.back()) without_last.available += take.taken;
    }
    const Bytes calm = kReserve + limits::kArmDiskNeed;
    RC_ASSERT(gone.size() == standing.size() || after.available >= calm);
    RC_ASSERT(standing.empty() || without_last.available < calm);
    RC_ASSERT(gone.empty() || least_gone >= most_left);
    // The next look at what is left then finds nothing to do.
    std::vector<ShadowTake> left;
    std::ranges::copy_if(standing, std::back_inserter(left),
                         [&](const ShadowTake& take) { return !gone.contains(take.shadow); });
    RC_ASSERT(shadows_to_end(after, left).empty());
}

}  // namespace
}  // namespace penumbra::agent
