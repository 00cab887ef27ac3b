#pragma once

#include <vector>

#include "base/result.hpp"
#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/libvirt/handle.hpp"
#include "hypervisor/ports.hpp"

/// Checkpoints of one domain: what libvirt remembers of them, and the bitmaps in its images that they stand for.
namespace penumbra::hypervisor::libvirt {

/// Nothing when there is none, or it cannot be asked for: libvirt's last error says which.
[[nodiscard]] CheckpointHandle find_checkpoint(virDomainPtr domain, const CheckpointId& name);

/// While the domain is off nothing is known of its bitmaps.
[[nodiscard]] Result<CheckpointFacts> facts_of(virDomainCheckpointPtr checkpoint);

/// Those that libvirt has, oldest first; then bitmaps of ours in its images that it has no checkpoint of.
[[nodiscard]] Result<std::vector<CheckpointFacts>> list_checkpoints(virDomainPtr domain);

/// Deletes what libvirt remembers of a checkpoint of ours and leaves its bitmaps. kPermissionDenied for another's.
[[nodiscard]] Result<void> forget_metadata(virDomainPtr domain, const CheckpointId& checkpoint);

/// Makes libvirt remember a checkpoint that it has forgotten; its bitmaps may be gone, then there is no size of them.
[[nodiscard]] Result<CheckpointFacts> redefine(virDomainPtr domain, const CheckpointFacts& known);

/// Takes a checkpoint of ours and its bitmaps away, whether the domain runs or not and whether libvirt remembers the
/// checkpoint or not. kPermissionDenied for one that is not ours; kConflict when a stopped domain's image is in use.
[[nodiscard]] Result<void> delete_with_bitmaps(virDomainPtr domain, const CheckpointId& checkpoint);

}  // namespace penumbra::hypervisor::libvirt
