#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "hypervisor/block_table.hpp"
#include "hypervisor/checkpoint_chain.hpp"
#include "hypervisor/copy_progress.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/replica_manifest.hpp"
#include "hypervisor/replica_pruning.hpp"
#include "hypervisor/replica_target.hpp"
#include "proto/model/host.hpp"
#include "proto/model/replica.hpp"

namespace penumbra::hypervisor {

/// What one generation of one VM will be, decided before anything touches production. Value type.
struct GenerationPlan {
    GroupId group;
    VmId vm;
    std::uint64_t generation = 0;
    CheckpointId checkpoint;  ///< the cut makes it; the next generation is built on it
    ChainDecision decision;   ///< full or incremental, each disk, with the reason
    std::optional<ReplicaManifest> base;
    std::map<std::string, BlockTable> base_tables;  ///< by disk
    std::vector<std::string> troubles;              ///< generations at the target that cannot be used, and why

    /// What to begin the backup with. Scratch files are `scratch`/vm.disk.scratch.
    [[nodiscard]] BackupRequest backup_request(const std::filesystem::path& socket,
                                               const std::filesystem::path& scratch) const;
};

/// Told about each chunk on the copying thread. An error ends the copy and comes back from it: that is how a caller
/// stops one whose scratch grows too large.
using ProgressSink = std::function<Result<void>(const CopyProgress&)>;

/// Asked before so much is read at the source or the target; it waits as long as production needs it to.
using PaceGate = std::function<void(Bytes)>;

/// How a caller goes along with a copy. A member that is empty is not asked.
struct CopyHooks {
    ProgressSink progress = {};
    PaceGate pace = {};
};

/// Makes one generation of one VM (flow 1): plan(), then the caller begins the backup as its hold, then copy(), then
/// the caller ends the hold, then forget_checkpoints(). A copy that fails, is stopped or dies leaves the generations
/// that were there and nothing else visible; the next plan() builds on them. Blocking: on a thread of its own. Owns
/// nothing; the ports must outlive it. Thread-bound.
class Replicator {
 public:
    Replicator(BackupControl& backup, BlockSources& sources, ReplicaTarget& target, const Clock& clock)
        : backup_(backup), sources_(sources), target_(target), clock_(clock) {}

    /// Reads target and checkpoints, and has the hypervisor take up again the one the target was built on; whatever
    /// becomes of the plan, forget_checkpoints() follows. `disks` are those to copy; none is kInvalidArgument.
    /// kResourceExhausted: the target has nothing left above the reserve.
    [[nodiscard]] Result<GenerationPlan> plan(const GroupId& group, const VmId& vm,
                                              const std::vector<model::DiskFacts>& disks);

    /// Deletes our checkpoints that nothing can be built on: after a commit all but the newest manifest's, and before a
    /// cut those that attempts left. The newest's is set aside: its bitmaps count on, and nobody who undefines the VM
    /// is refused. Never a foreign one.
    [[nodiscard]] Result<void> forget_checkpoints(const VmId& vm);

    /// The checkpoint that was set aside for the next generation, which nobody but the target may know of; none:
    /// nothing can be built on.
    [[nodiscard]] Result<std::optional<CheckpointId>> checkpoint_aside(const VmId& vm);

    /// Number of the newest committed generation; 0: there is none.
    [[nodiscard]] Result<std::uint64_t> newest_generation(const VmId& vm);
    /// Removes generations that nobody needs, see superfluous_generations().
    [[nodiscard]] Result<void> forget_generations(const VmId& vm, const StoodOn& stood_on);

    /// kResourceExhausted unless the target has room for `needed` above the reserve; 0 asks for the reserve alone.
    [[nodiscard]] Result<void> check_room(Bytes needed);

    /// Copies what `job` offers, re-reads it at the target, compares and commits. The job stays open.
    /// kUnavailable, kDeadlineExceeded: the source is gone or hangs; kUnsupported: the bitmap was lost; kDataLoss: what
    /// was re-read differs; kResourceExhausted: the target has no room
    /// for it, or is full; kCancelled: `stop`. Nothing half-made remains.
    [[nodiscard]] Result<ReplicaManifest> copy(const GenerationPlan& plan, const BackupJob& job,
                                               model::Consistency consistency, const CopyHooks& hooks,
                                               const std::stop_token& stop);

 private:
    /// Builds on `newest` if all its tables can be read; else says why not.
    void take_base(GenerationPlan& plan, const ReplicaManifest& newest);
    /// Has the base's checkpoint among `checkpoints` again, or says why not.
    void recall_base(GenerationPlan& plan, const std::vector<model::DiskFacts>& disks,
                     std::vector<CheckpointFacts>& checkpoints);

    BackupControl& backup_;
    BlockSources& sources_;
    ReplicaTarget& target_;
    const Clock& clock_;
};

}  // namespace penumbra::hypervisor
