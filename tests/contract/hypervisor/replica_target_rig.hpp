#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hypervisor/replica_target.hpp"

namespace penumbra::hypervisor::contract {

/// An empty target and an eye that reads what it holds by other means. The same suite is linked with a rig over the
/// fake and over a folder.
class ReplicaTargetRig {
 public:
    ReplicaTargetRig() = default;
    ReplicaTargetRig(const ReplicaTargetRig&) = delete;
    ReplicaTargetRig& operator=(const ReplicaTargetRig&) = delete;
    ReplicaTargetRig(ReplicaTargetRig&&) = delete;
    ReplicaTargetRig& operator=(ReplicaTargetRig&&) = delete;
    virtual ~ReplicaTargetRig() = default;

    virtual ReplicaTarget& target() = 0;
    virtual std::vector<std::byte> content(const VmId& vm, std::uint64_t generation, const std::string& disk) = 0;
};

/// Given by whichever rig is linked.
std::unique_ptr<ReplicaTargetRig> make_replica_target_rig();

}  // namespace penumbra::hypervisor::contract
