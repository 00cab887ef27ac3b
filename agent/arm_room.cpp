#include "agent/arm_room.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/limits/flows.hpp"

namespace penumbra::agent {

Result<void> admit_arms(const ShadowId& shadow, std::size_t arms, const DiskRoom& room) {
    const Bytes needed(limits::kArmDiskNeed.count() * arms);
    if (has_room_for(needed, room)) return {};
    return fail(
        ErrorCode::kResourceExhausted,
        fmt::format("{}; the arms of shadow {} need {} MiB: make room, destroy another shadow, or use fewer arms",
                    to_string(room), shadow.text(), needed.count() >> 20U));
}

std::vector<ShadowId> shadows_to_end(const DiskRoom& room, std::vector<ShadowTake> standing) {
    if (has_room_for(Bytes(), room)) return {};
    std::ranges::sort(standing, [](const ShadowTake& a, const ShadowTake& b) {
        return std::tie(b.taken, a.shadow) < std::tie(a.taken, b.shadow);
    });
    std::vector<ShadowId> ended;
    DiskRoom after = room;
    for (const ShadowTake& take : standing) {
        if (has_room_for(limits::kArmDiskNeed, after)) break;
        after.available += take.taken;
        ended.push_back(take.shadow);
    }
    return ended;
}

}  // namespace penumbra::agent
