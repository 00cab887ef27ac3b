#include "agent/clean_flow.hpp"

#include "agent/also.hpp"
#include "hypervisor/checkpoint_chain.hpp"

namespace penumbra::agent {

Result<void> CleanFlow::remove_checkpoints() {
    Result<void> all;
    // Of every VM, by its UUID: one that was renamed or stopped since still carries ours.
    for (const model::VmFacts& vm : TRY(parts_.inventory.list_vms())) {
        const auto checkpoints = parts_.backup.checkpoints(vm.vm);
        if (!checkpoints.has_value()) {
            also(all, tl::unexpected(checkpoints.error()));
            continue;
        }
        for (const hypervisor::CheckpointFacts& checkpoint : *checkpoints)
            if (hypervisor::is_ours(checkpoint.name))
                also(all, parts_.backup.delete_checkpoint(vm.vm, checkpoint.name));
    }
    return all;
}

void CleanFlow::execute(const model::Command& command) {
    Result<void> all = parts_.end_observation();
    also(all, parts_.remove_shadows());
    also(all, parts_.lift_effects());
    also(all, parts_.await_copies());
    also(all, remove_checkpoints());
    also(all, parts_.remove_replicas());
    parts_.tell(Event(WorkerReported{ended(command, all, parts_.clock.wall())}));
}

}  // namespace penumbra::agent
