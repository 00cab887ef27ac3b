#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/units.hpp"

namespace penumbra::model {

enum class GenerationKind : unsigned char { kFull, kIncremental };
[[nodiscard]] std::string_view to_string(GenerationKind kind) noexcept;
/// What state a cut caught: as after a power cut, with flushed file systems, or with applications told.
enum class Consistency : unsigned char { kCrash, kFilesystem, kApplication };
[[nodiscard]] std::string_view to_string(Consistency consistency) noexcept;

/// One committed generation of one volume, as its manifest at the target says.
struct VolumeGeneration {
    std::string disk;  ///< target name: "vda"
    Bytes virtual_size;
    Bytes bytes_read;
    Bytes bytes_sent;
    Bytes bytes_zeroed;
    std::string root_source;  ///< root hash of what was read at the source, hex
    std::string root_target;  ///< root hash of what was re-read at the target, hex; equal, or there is no generation
    friend bool operator==(const VolumeGeneration&, const VolumeGeneration&) = default;
};

struct Generation {
    GroupId group;
    std::uint64_t number = 0;  ///< 0, 1, 2, ...
    GenerationKind kind = GenerationKind::kFull;
    std::string kind_reason;  ///< one sentence: why full, or since which checkpoint
    Consistency consistency = Consistency::kCrash;
    std::vector<VolumeGeneration> volumes;
    friend bool operator==(const Generation&, const Generation&) = default;
};

}  // namespace penumbra::model
