#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/replica_manifest.hpp"
#include "proto/model/host.hpp"

namespace penumbra::hypervisor {

/// What the next generation of one disk is built on, and why.
struct DiskBasis {
    std::string disk;
    CheckpointId since;  ///< empty: read the whole disk
    std::string reason;  ///< one sentence
    friend bool operator==(const DiskBasis&, const DiskBasis&) = default;
};

struct ChainDecision {
    model::GenerationKind kind = model::GenerationKind::kFull;  ///< full when every disk is
    std::string reason;
    std::vector<DiskBasis> disks;
    /// Checkpoints of ours that nothing can be built on: to be deleted before the next cut.
    std::vector<CheckpointId> obsolete;
};

/// Decides from three witnesses: what the target has committed, what the hypervisor lists, what disks there are now.
/// Only the checkpoint named in the newest manifest, with the same creation time and an intact bitmap, makes an
/// increment; on any doubt the disk is read whole, with a reason. Pure.
[[nodiscard]] ChainDecision decide_chain(const std::optional<ReplicaManifest>& newest,
                                         const std::vector<CheckpointFacts>& checkpoints,
                                         const std::vector<model::DiskFacts>& disks);

/// A name that is never used twice for a VM: "penumbra.GENERATION.UTC-milliseconds".
[[nodiscard]] CheckpointId checkpoint_name(std::uint64_t generation, WallTime now);
/// Whether a checkpoint is one of ours, by its name.
[[nodiscard]] bool is_ours(const CheckpointId& checkpoint);

}  // namespace penumbra::hypervisor
