#include "hypervisor/checkpoint_chain.hpp"

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {
namespace {

struct Witnesses {
    std::optional<ReplicaManifest> newest;
    std::vector<CheckpointFacts> checkpoints;
    std::vector<model::DiskFacts> disks;
};

Witnesses all_agree() {
    ReplicaManifest manifest;
    manifest.generation = 3;
    manifest.checkpoint = CheckpointId("penumbra.3.5000");
    manifest.checkpoint_created_s = 5;
    manifest.volumes.push_back({.disk = "vda", .virtual_size = Bytes(1024), .layers = 4});
    return {.newest = manifest,
            .checkpoints = {{.name = CheckpointId("penumbra.3.5000"), .created_s = 5, .dirty = {{"vda", Bytes(64)}}}},
            .disks = {{.target = "vda", .format = "qcow2", .virtual_size = Bytes(1024), .incremental = true}}};
}

ChainDecision decide(const Witnesses& w) {
    return decide_chain(w.newest, w.checkpoints, w.disks);
}

TEST(CheckpointChain, BuildsOnTheCheckpointOfTheNewestManifest) {
    const ChainDecision decision = decide(all_agree());
    EXPECT_EQ(decision.kind, model::GenerationKind::kIncremental);
    ASSERT_EQ(decision.disks.size(), 1U);
    EXPECT_EQ(decision.disks[0].since, CheckpointId("penumbra.3.5000"));
    EXPECT_TRUE(decision.obsolete.empty());
}

TEST(CheckpointChain, IsFullWithAReasonOnAnyDoubt) {
    const std::pair<const char*, void (*)(Witnesses&)> doubts[] = {
        {"no generation yet", [](Witnesses& w) { w.newest.reset(); }},
        {"is gone", [](Witnesses& w) { w.checkpoints.clear(); }},
        {"another one of the same name", [](Witnesses& w) { w.checkpoints[0].created_s = 6; }},
        {"is broken", [](Witnesses& w) { w.checkpoints[0].dirty["vda"].reset(); }},
        {"does not cover", [](Witnesses& w) { w.checkpoints[0].dirty.clear(); }},
        {"keeps no dirty bitmap", [](Witnesses& w) { w.disks[0].incremental = false; }},
        {"was added", [](Witnesses& w) { w.newest->volumes[0].disk = "vdb"; }},
        {"layers long", [](Witnesses& w) { w.newest->volumes[0].layers = limits::kReplicaLayersMax; }},
    };
    for (const auto& [reason, cast_doubt] : doubts) {
        Witnesses witnesses = all_agree();
        cast_doubt(witnesses);
        const ChainDecision decision = decide(witnesses);
        EXPECT_EQ(decision.kind, model::GenerationKind::kFull) << reason;
        EXPECT_TRUE(decision.disks[0].since.empty()) << reason;
        EXPECT_NE(decision.reason.find(reason), std::string::npos) << decision.reason;
    }
}

TEST(CheckpointChain, ReadsOnlyTheAddedDiskWhole) {
    Witnesses witnesses = all_agree();
    witnesses.disks.push_back({.target = "vdc", .format = "qcow2", .incremental = true});
    const ChainDecision decision = decide(witnesses);
    EXPECT_EQ(decision.kind, model::GenerationKind::kIncremental);
    EXPECT_FALSE(decision.disks[0].since.empty());
    EXPECT_TRUE(decision.disks[1].since.empty());
}

TEST(CheckpointChain, CallsOnlyOurOwnUnusedCheckpointsObsolete) {
    Witnesses witnesses = all_agree();
    witnesses.checkpoints.push_back({.name = CheckpointId("penumbra.4.9000"), .created_s = 9, .dirty = {}});
    witnesses.checkpoints.push_back({.name = CheckpointId("virtnbdbackup.0"), .created_s = 9, .dirty = {}});
    EXPECT_EQ(decide(witnesses).obsolete, std::vector<CheckpointId>{CheckpointId("penumbra.4.9000")});
}

TEST(CheckpointChain, NamesAreOursAndDiffer) {
    const CheckpointId a = checkpoint_name(4, WallTime(std::chrono::milliseconds(1000)));
    const CheckpointId b = checkpoint_name(4, WallTime(std::chrono::milliseconds(1001)));
    EXPECT_NE(a, b);
    EXPECT_TRUE(is_ours(a));
    EXPECT_FALSE(is_ours(CheckpointId("backup.1")));
}

}  // namespace
}  // namespace penumbra::hypervisor
