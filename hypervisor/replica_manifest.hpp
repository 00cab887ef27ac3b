#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "proto/model/replica.hpp"

namespace penumbra::hypervisor {

struct VolumeManifest {
    std::string disk;  ///< target name: "vda"
    Bytes virtual_size;
    std::uint32_t layers = 1;  ///< length of its chain of layers, this one included
    std::uint64_t base = 0;    ///< generation its layer lies on; 0: none
    Digest table;              ///< SHA-256 of the block table's file
    Digest root;               ///< of the block table: what was read at the source and re-read at the target
    Bytes read;
    Bytes sent;
    Bytes zeroed;
    friend bool operator==(const VolumeManifest&, const VolumeManifest&) = default;
};

/// What the target holds of a VM: the only truth about a replica (design D8). A generation whose manifest cannot be
/// read does not exist. Value type.
struct ReplicaManifest {
    GroupId group;
    VmId vm;
    std::uint64_t generation = 0;
    model::GenerationKind kind = model::GenerationKind::kFull;
    std::string kind_reason;
    model::Consistency consistency = model::Consistency::kCrash;
    CheckpointId checkpoint;  ///< begun by this generation's cut: the base of the next
    std::int64_t checkpoint_created_s = 0;
    std::vector<VolumeManifest> volumes;
    friend bool operator==(const ReplicaManifest&, const ReplicaManifest&) = default;

    [[nodiscard]] const VolumeManifest* volume(std::string_view disk) const noexcept;
};

/// A text file: a line a fact, the last one the SHA-256 of those before it.
[[nodiscard]] std::string encode(const ReplicaManifest& manifest);
/// Anything that encode() cannot have written is kDataLoss and names the line.
[[nodiscard]] Result<ReplicaManifest> decode_manifest(std::string_view text);

/// The same as the wire and the CLI say it.
[[nodiscard]] model::Generation to_model(const ReplicaManifest& manifest);

}  // namespace penumbra::hypervisor
