#pragma once

#include <cstddef>
#include <vector>

#include "base/disk_room.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

/// Arms write to overlays that grow with every block they touch, often on the file system of production's own images,
/// where a guest that finds no room is paused. Who may come, and who has to go so that production does not feel it.
namespace penumbra::agent {

/// kResourceExhausted unless there is room for so many more arms, limits::kArmDiskNeed each. Pure.
[[nodiscard]] Result<void> admit_arms(const ShadowId& shadow, std::size_t arms, const DiskRoom& room);

/// What the files of a shadow's arms take, and give back when it ends.
struct ShadowTake {
    ShadowId shadow;
    Bytes taken;
    friend bool operator==(const ShadowTake&, const ShadowTake&) = default;
};

/// Which shadows to end now: none while the reserve is whole. Else those that take the most, as few as bring the
/// reserve back with limits::kArmDiskNeed above it, so that the next look does not find it broken again; all of them
/// if that is not enough. Pure.
[[nodiscard]] std::vector<ShadowId> shadows_to_end(const DiskRoom& room, std::vector<ShadowTake> standing);

}  // namespace penumbra::agent
