#include "hypervisor/replica_pruning.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace penumbra::hypervisor {
namespace {

constexpr std::uint64_t kLater = 100;      // newest, when what arms stood on was known
using Bases = std::vector<std::uint64_t>;  // of vda, vdb, ...; 0: none

ReplicaManifest manifest(std::uint64_t generation, const Bases& bases) {
    ReplicaManifest made{.vm = VmId("vm"), .generation = generation};
    for (std::size_t disk = 0; disk < bases.size(); ++disk)
        made.volumes.push_back({.disk = "vd" + std::to_string(disk), .base = bases[disk]});
    return made;
}

TEST(ReplicaPruning, AChainStaysWholeWhileItsEndIsTheNewest) {
    EXPECT_TRUE(superfluous_generations({manifest(1, {0}), manifest(2, {1}), manifest(3, {2})}, {{}, kLater}).empty());
    EXPECT_TRUE(superfluous_generations({}, {{}, kLater}).empty());
}

TEST(ReplicaPruning, AFullOneLeavesTheChainBeforeItHighestFirst) {
    const std::vector<ReplicaManifest> all{manifest(1, {0}), manifest(2, {1}), manifest(3, {2}), manifest(4, {0})};
    EXPECT_EQ(superfluous_generations(all, {{}, kLater}), (std::vector<std::uint64_t>{3, 2, 1}));
    EXPECT_EQ(superfluous_generations(all, {{2}, kLater}), (std::vector<std::uint64_t>{3}));
    EXPECT_TRUE(superfluous_generations(all, {{3}, kLater}).empty());
}

TEST(ReplicaPruning, WhatAnArmMadeSinceMayStandOnStays) {
    const std::vector<ReplicaManifest> all{manifest(1, {0}), manifest(2, {0}), manifest(3, {2}), manifest(4, {0})};
    EXPECT_EQ(superfluous_generations(all, {{}, 3}), (std::vector<std::uint64_t>{1})) << "the third lies on the second";
    EXPECT_TRUE(superfluous_generations(all, {}).empty()) << "nothing is known";
}

TEST(ReplicaPruning, OneVolumeOnAnOlderGenerationKeepsAllThatGenerationLiesOn) {
    const std::vector<ReplicaManifest> all{manifest(1, {0, 0}), manifest(2, {1, 0}), manifest(3, {0, 2})};
    EXPECT_TRUE(superfluous_generations(all, {{}, kLater}).empty());
}

TEST(ReplicaPruning, NothingGoesWhileWhatArmsStandOnCannotBeUsed) {
    EXPECT_TRUE(superfluous_generations({manifest(1, {0}), manifest(3, {0})}, {{2}, kLater}).empty());
}

RC_GTEST_PROP(ReplicaPruning, TakesEverythingNobodyLiesOnAndNothingElse, ()) {
    const auto count = *rc::gen::inRange<std::uint64_t>(1, 12);
    const auto disks = *rc::gen::inRange<std::size_t>(1, 4);
    std::vector<ReplicaManifest> all;
    StoodOn stood_on{.generations = {}, .newest = *rc::gen::inRange<std::uint64_t>(1, count + 2)};
    for (std::uint64_t generation = 1; generation <= count; ++generation) {
        Bases bases;
        while (bases.size() < disks)
            bases.push_back(*rc::gen::inRange<std::uint64_t>(0, generation));
        all.push_back(manifest(generation, bases));
        if (*rc::gen::inRange(0, 4) == 0) stood_on.generations.insert(generation);
    }
    // By another way than the code's: spread down from what is needed until nothing new is found.
    std::set<std::uint64_t> needed = stood_on.generations;
    needed.insert(count);
    for (std::uint64_t generation = stood_on.newest; generation <= count; ++generation)
        needed.insert(generation);
    for (std::size_t before = 0; before != needed.size();) {
        before = needed.size();
        for (const std::uint64_t generation : std::set(needed))
            for (const VolumeManifest& volume : all.at(generation - 1).volumes)
                if (volume.base != 0) needed.insert(volume.base);
    }
    const std::vector<std::uint64_t> gone = superfluous_generations(all, stood_on);
    RC_ASSERT(gone.size() + needed.size() == all.size());
    for (const std::uint64_t generation : gone) {
        RC_ASSERT(!needed.contains(generation));
        std::erase_if(all, [&](const ReplicaManifest& each) { return each.generation == generation; });
        for (const ReplicaManifest& left : all)
            for (const VolumeManifest& volume : left.volumes)
                RC_ASSERT(volume.base != generation);
    }
}

}  // namespace
}  // namespace penumbra::hypervisor
