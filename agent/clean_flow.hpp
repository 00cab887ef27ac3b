#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "agent/news.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::agent {

/// `host clean`: everything of ours off the host, in an order in which nothing is left pointing at what is gone. Every
/// part is tried, whatever failed before it; but replicas stay while they know of a checkpoint that does. Thread-bound;
/// blocks.
class CleanFlow {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        hypervisor::VmInventory& inventory;
        hypervisor::BackupControl& backup;
        std::function<Result<void>()> end_observation;
        std::function<Result<void>()> remove_shadows;  ///< replays included
        std::function<Result<void>()> lift_effects;    ///< holds included
        std::function<Result<void>()> await_copies;    ///< until none is at work that was ordered before
        /// A checkpoint of a VM that the hypervisor was made to forget, and only the replica knows of.
        std::function<Result<std::optional<CheckpointId>>(const VmId&)> checkpoint_aside;
        std::function<Result<void>()> remove_replicas;  ///< the last to go, and only when no checkpoint is left
        const Clock& clock;
        Tell tell;
    };
    explicit CleanFlow(Parts parts) : parts_(std::move(parts)) {}

    /// CleanHost. Doing it twice does it once. Copies were told before (ReplicateFlow::clean).
    void execute(const model::Command& command);

 private:
    [[nodiscard]] Result<void> remove_checkpoints();
    [[nodiscard]] Result<void> remove_checkpoints_of(const VmId& vm);

    Parts parts_;
};

}  // namespace penumbra::agent
