#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/replica_target.hpp"

namespace penumbra::hypervisor {

/// Replicas in a folder of a local filesystem: ROOT/VM/GENERATION/{manifest,DISK.qcow2,DISK.blocks}. A generation is
/// made in ROOT/VM/staging and appears by one rename, everything in it synced before; a layer names the one below by a
/// relative path, so that ROOT can be moved. Files are 0440, folders 0750, the group is ROOT's where that is
/// set-group-id: whoever runs guests must be able to read what lies below an overlay.
class ReplicaFolder final : public ReplicaTarget {
 public:
    /// Called before each step that changes the medium, with its name: where a test lets the process die.
    using StepHook = std::function<void(std::string_view step)>;

    /// `root` exists already.
    explicit ReplicaFolder(
        std::filesystem::path root, StepHook before_step = [](std::string_view) {})
        : root_(std::move(root)), before_step_(std::move(before_step)) {}

    [[nodiscard]] Result<ReplicaState> state(const VmId& vm) override;
    [[nodiscard]] Result<BlockTable> table(const ReplicaManifest& manifest, const std::string& disk) override;
    [[nodiscard]] Result<std::unique_ptr<StagedGeneration>> stage(const VmId& vm, std::uint64_t generation) override;
    [[nodiscard]] Result<void> remove(const VmId& vm, std::uint64_t generation) override;
    [[nodiscard]] Result<DiskRoom> room() override;

    /// The layer of a committed generation's volume: what an overlay names as lying below it.
    [[nodiscard]] std::filesystem::path layer(const VmId& vm, std::uint64_t generation, const std::string& disk) const;

 private:
    std::filesystem::path root_;
    StepHook before_step_;
};

/// Of the manifests found, those whose every layer down to the lowest is there and fits, oldest first; the rest become
/// troubles. Pure.
[[nodiscard]] ReplicaState usable_generations(std::vector<ReplicaManifest> manifests,
                                              std::vector<std::string> troubles = {});

}  // namespace penumbra::hypervisor
