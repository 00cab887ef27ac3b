#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::fake {

/// What a fake VM has of a checkpoint: the hypervisor's record, unless it is stray, and a bitmap a disk.
struct FakeCheckpoint {
    CheckpointId name;
    std::int64_t created_s = 0;
    std::map<std::string, ExtentSet> dirty;
    std::set<std::string> broken;
    bool stray = false;
    bool stored = false;  ///< in the image, where others than QEMU see it

    /// The record alone, of one that has lost its bitmaps.
    [[nodiscard]] static FakeCheckpoint without_bitmaps(const CheckpointFacts& known) {
        FakeCheckpoint made{.name = known.name, .created_s = known.created_s, .dirty = {}, .broken = {}};
        for (const auto& [disk, dirty] : known.dirty) {
            made.dirty[disk] = {};
            made.broken.insert(disk);
        }
        return made;
    }
    [[nodiscard]] CheckpointFacts facts(bool running) const {
        CheckpointFacts known{.name = name, .created_s = stray ? 0 : created_s, .dirty = {}, .stray = stray};
        for (const auto& [disk, extents] : dirty) {
            const bool counted = running && !stray && !broken.contains(disk);
            known.dirty[disk] = counted ? std::optional(Bytes(extents.bytes())) : std::nullopt;
        }
        return known;
    }
};

}  // namespace penumbra::hypervisor::fake
