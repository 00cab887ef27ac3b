#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/disk_room.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "hypervisor/block_table.hpp"
#include "hypervisor/extent_set.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/replica_manifest.hpp"

/// The port where replicas are kept. Implemented by ReplicaFolder, and statefully in memory by fake/. Blocking and
/// thread-bound; one writer at a time (the caller's duty).
namespace penumbra::hypervisor {

/// Gets the digest of one block as it stands at the target.
using BlockSink = std::function<Result<void>(std::uint64_t block, const Digest& digest)>;

struct LayerSpec {
    std::string disk;  ///< target name: "vda"
    Bytes virtual_size;
    std::uint64_t base = 0;  ///< generation this layer lies on; 0: none, what is not written reads as zero
};

/// One volume's layer of a generation that is not committed yet.
class StagedVolume : public Port {
 public:
    /// Whole blocks at a block's offset; the volume's last one may be short. A block is written once.
    [[nodiscard]] virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> data) = 0;
    /// These blocks read as zero, whatever lies below. Whole blocks.
    virtual void zero(Extent extent) = 0;
    /// Nothing is written any more: makes it durable.
    [[nodiscard]] virtual Result<void> seal() = 0;
    /// Reads back from the medium, not from memory, every block the sealed layer holds, zeroes included.
    [[nodiscard]] virtual Result<void> reread(const BlockSink& sink) = 0;
};

/// A generation in the making. Destroyed without commit() it never was.
class StagedGeneration : public Port {
 public:
    /// The volume lives as long as the generation.
    [[nodiscard]] virtual Result<StagedVolume*> add_volume(const LayerSpec& spec) = 0;
    /// All or nothing, durable: tables, then the manifest, then its name. Once. Fills in the tables' digests.
    [[nodiscard]] virtual Result<ReplicaManifest> commit(ReplicaManifest manifest,
                                                         const std::map<std::string, BlockTable>& tables) = 0;
};

/// What the target holds of a VM.
struct ReplicaState {
    std::vector<ReplicaManifest> generations;  ///< those that can be used, oldest first
    std::uint64_t next_generation = 1;         ///< never used before, not by a broken one either
    std::vector<std::string> troubles;         ///< one sentence for each generation that cannot be used

    [[nodiscard]] const ReplicaManifest* newest() const noexcept {
        return generations.empty() ? nullptr : &generations.back();
    }
};

class ReplicaTarget : public Port {
 public:
    [[nodiscard]] virtual Result<ReplicaState> state(const VmId& vm) = 0;
    /// The digests of one volume; kDataLoss when they are not what the manifest says.
    [[nodiscard]] virtual Result<BlockTable> table(const ReplicaManifest& manifest, const std::string& disk) = 0;
    /// Throws away what an earlier attempt left. kAlreadyExists when that generation is committed.
    [[nodiscard]] virtual Result<std::unique_ptr<StagedGeneration>> stage(const VmId& vm, std::uint64_t generation) = 0;
    /// kConflict while a later generation lies on it; one that is not there is a success.
    [[nodiscard]] virtual Result<void> remove(const VmId& vm, std::uint64_t generation) = 0;
    /// Of the file system replicas are on.
    [[nodiscard]] virtual Result<DiskRoom> room() = 0;
};

}  // namespace penumbra::hypervisor
