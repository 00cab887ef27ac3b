#include "hypervisor/replica_pruning.hpp"

#include <algorithm>
#include <functional>

namespace penumbra::hypervisor {

std::vector<std::uint64_t> superfluous_generations(const std::vector<ReplicaManifest>& generations,
                                                   const StoodOn& stood_on) {
    std::vector<ReplicaManifest> highest_first = generations;
    std::ranges::sort(highest_first, std::greater(), &ReplicaManifest::generation);
    for (const std::uint64_t number : stood_on.generations)
        if (std::ranges::find(highest_first, number, &ReplicaManifest::generation) == highest_first.end()) return {};
    std::set<std::uint64_t> needed = stood_on.generations;
    if (!highest_first.empty()) needed.insert(highest_first.front().generation);
    std::vector<std::uint64_t> superfluous;
    // A layer lies on a lower generation: whoever needs one was seen before it.
    for (const ReplicaManifest& manifest : highest_first) {
        if (manifest.generation < stood_on.newest && !needed.contains(manifest.generation)) {
            superfluous.push_back(manifest.generation);
            continue;
        }
        for (const VolumeManifest& volume : manifest.volumes)
            if (volume.base != 0) needed.insert(volume.base);
    }
    return superfluous;
}

}  // namespace penumbra::hypervisor
