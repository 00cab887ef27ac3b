#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/replica_target.hpp"

namespace penumbra::hypervisor::fake {

/// Replicas in memory that behave as ReplicaFolder does. Hooks fill the disk, rot what is stored, or let the process
/// die at its n-th step: nothing works then until restart(), which keeps what was committed. Thread-bound.
class FakeReplicaTarget final : public ReplicaTarget {
 public:
    FakeReplicaTarget();
    ~FakeReplicaTarget() override;
    FakeReplicaTarget(const FakeReplicaTarget&) = delete;
    FakeReplicaTarget& operator=(const FakeReplicaTarget&) = delete;
    FakeReplicaTarget(FakeReplicaTarget&&) = delete;
    FakeReplicaTarget& operator=(FakeReplicaTarget&&) = delete;

    [[nodiscard]] Result<ReplicaState> state(const VmId& vm) override;
    [[nodiscard]] Result<BlockTable> table(const ReplicaManifest& manifest, const std::string& disk) override;
    [[nodiscard]] Result<std::unique_ptr<StagedGeneration>> stage(const VmId& vm, std::uint64_t generation) override;
    [[nodiscard]] Result<void> remove(const VmId& vm, std::uint64_t generation) override;
    [[nodiscard]] Result<DiskRoom> room() override;

    /// What a volume of a committed generation reads as, through all layers below.
    [[nodiscard]] std::vector<std::byte> content(const VmId& vm, std::uint64_t generation, const std::string& disk);

    /// Dies just before its `step`-th change from now on (1 is the next).
    void die_at(std::uint64_t step);
    [[nodiscard]] bool dead() const;
    void restart();
    /// How many more bytes fit; room() goes on telling that `told` are available.
    void set_space(Bytes left, Bytes told);
    /// One bit of the next block written changes on the medium.
    void rot_next_write();
    /// The block tables of a committed generation cannot be read any more.
    void break_tables(const VmId& vm, std::uint64_t generation);

    /// Shared with what is staged. Not for tests.
    struct Medium;

 private:
    std::shared_ptr<Medium> medium_;
};

}  // namespace penumbra::hypervisor::fake
