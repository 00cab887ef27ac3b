#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/arm_builder.hpp"

namespace penumbra::agent::contract {

/// Files of arms on a small file system that nobody else writes to. The same suite is linked with a rig over the fake
/// and with one over a folder.
class ArmStorageRig {
 public:
    ArmStorageRig() = default;
    ArmStorageRig(const ArmStorageRig&) = delete;
    ArmStorageRig& operator=(const ArmStorageRig&) = delete;
    ArmStorageRig(ArmStorageRig&&) = delete;
    ArmStorageRig& operator=(ArmStorageRig&&) = delete;
    virtual ~ArmStorageRig() = default;

    virtual ArmStorage& storage() = 0;
    /// A generation with one volume, vda.
    virtual void commit(const VmId& vm, std::uint64_t generation) = 0;
    /// The owner's guest writes so much that its overlay did not hold before.
    virtual void grow(const std::string& owner, Bytes written) = 0;
};

/// Given by whichever rig is linked. Nothing: this machine has not what it takes, and `why` says what.
std::unique_ptr<ArmStorageRig> make_rig(std::string& why);

}  // namespace penumbra::agent::contract
