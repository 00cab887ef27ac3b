#include "agent/clean_flow.hpp"

#include "agent/also.hpp"
#include "hypervisor/checkpoint_chain.hpp"

namespace penumbra::agent {

Result<void> CleanFlow::remove_checkpoints_of(const VmId& vm) {
    Result<void> all;
    const auto checkpoints = parts_.backup.checkpoints(vm);
    if (!checkpoints.has_value()) also(all, tl::unexpected(checkpoints.error()));
    for (const hypervisor::CheckpointFacts& checkpoint :
         checkpoints.value_or(std::vector<hypervisor::CheckpointFacts>()))
        if (hypervisor::is_ours(checkpoint.name)) also(all, parts_.backup.delete_checkpoint(vm, checkpoint.name));
    const auto aside = parts_.checkpoint_aside(vm);
    if (!aside.has_value()) also(all, tl::unexpected(aside.error()));
    if (aside.has_value() && aside->has_value()) also(all, parts_.backup.delete_checkpoint(vm, **aside));
    return all;
}

Result<void> CleanFlow::remove_checkpoints() {
    Result<void> all;
    // Of every VM, by its UUID: one that was renamed or stopped since still carries ours.
    const std::vector<model::VmFacts> vms = TRY(parts_.inventory.list_vms());
    for (const model::VmFacts& vm : vms)
        also(all, remove_checkpoints_of(vm.vm));
    return all;
}

void CleanFlow::execute(const model::Command& command) {
    Result<void> all = parts_.end_observation();
    also(all, parts_.remove_shadows());
    also(all, parts_.lift_effects());
    also(all, parts_.await_copies());
    const Result<void> forgotten = remove_checkpoints();
    also(all, forgotten);
    if (forgotten.has_value()) also(all, parts_.remove_replicas());
    parts_.tell(Event(WorkerReported{ended(command, all, parts_.clock.wall())}));
}

}  // namespace penumbra::agent
