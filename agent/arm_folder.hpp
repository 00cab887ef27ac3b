#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "agent/arm_builder.hpp"
#include "hypervisor/replica_folder.hpp"

namespace penumbra::agent {

/// Arms' files in a folder, ROOT/SHADOW/ARM: qcow2 overlays on a replica's layers, and copies of what the guest boots
/// from, so that no path of an arm is production's. Thread-bound.
class ArmFolder final : public ArmStorage {
 public:
    ArmFolder(std::filesystem::path root, hypervisor::ReplicaFolder& replicas)
        : root_(std::move(root)), replicas_(replicas) {}

    [[nodiscard]] Result<std::uint64_t> newest(const VmId& vm) override;
    [[nodiscard]] Result<ArmFiles> make(const VmId& vm, std::uint64_t generation, const std::string& owner,
                                        const hypervisor::BootFiles& boot) override;
    [[nodiscard]] Result<void> remove(const std::string& owner) override;
    [[nodiscard]] Result<std::vector<std::string>> owners() override;
    [[nodiscard]] Result<DiskRoom> room() override { return disk_room(root_); }
    [[nodiscard]] Result<Bytes> taken(const std::string& owner) override;

 private:
    [[nodiscard]] Result<ArmFiles> fill(const std::filesystem::path& folder, const VmId& vm, std::uint64_t generation,
                                        const hypervisor::BootFiles& boot);

    std::filesystem::path root_;
    hypervisor::ReplicaFolder& replicas_;
};

}  // namespace penumbra::agent
