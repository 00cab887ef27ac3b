#include "hypervisor/checkpoint_chain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {
namespace {

constexpr std::string_view kPrefix = "penumbra.";

const CheckpointFacts* find_base(const ReplicaManifest& manifest, const std::vector<CheckpointFacts>& checkpoints) {
    const auto found = std::ranges::find(checkpoints, manifest.checkpoint, &CheckpointFacts::name);
    return found == checkpoints.end() ? nullptr : &*found;
}

/// Why the disk has to be read whole; empty when it has not.
std::string doubt(const model::DiskFacts& disk, const std::optional<ReplicaManifest>& newest,
                  const std::vector<CheckpointFacts>& checkpoints) {
    if (!newest) return "there is no generation yet";
    const VolumeManifest* volume = newest->volume(disk.target);
    if (volume == nullptr) return "the disk was added since the last generation";
    if (!disk.incremental) return fmt::format("its format ({}) keeps no dirty bitmap", disk.format);
    if (volume->layers >= limits::kReplicaLayersMax)
        return fmt::format("the replica's chain is {} layers long", volume->layers);
    const CheckpointFacts* base = find_base(*newest, checkpoints);
    if (base == nullptr || base->stray) return fmt::format("checkpoint {} is gone", newest->checkpoint.text());
    if (base->created_s != newest->checkpoint_created_s)
        return fmt::format("checkpoint {} is another one of the same name", newest->checkpoint.text());
    const auto bitmap = base->dirty.find(disk.target);
    if (bitmap == base->dirty.end()) return fmt::format("checkpoint {} does not cover it", newest->checkpoint.text());
    if (!bitmap->second)
        return fmt::format(
            "the bitmap of checkpoint {} is broken or gone: QEMU ended without closing the disk, or "
            "somebody changed it",
            newest->checkpoint.text());
    return {};
}

}  // namespace

ChainDecision decide_chain(const std::optional<ReplicaManifest>& newest,
                           const std::vector<CheckpointFacts>& checkpoints,
                           const std::vector<model::DiskFacts>& disks) {
    ChainDecision decision;
    for (const model::DiskFacts& disk : disks) {
        std::string why_full = doubt(disk, newest, checkpoints);
        DiskBasis basis{.disk = disk.target, .since = {}, .reason = std::move(why_full)};
        if (basis.reason.empty()) {
            basis.since = newest->checkpoint;
            basis.reason = fmt::format("changes since checkpoint {}", newest->checkpoint.text());
            decision.kind = model::GenerationKind::kIncremental;
        }
        if (!decision.reason.empty()) decision.reason += "; ";
        decision.reason += fmt::format("{}: {}", disk.target, basis.reason);
        decision.disks.push_back(std::move(basis));
    }
    for (const CheckpointFacts& checkpoint : checkpoints) {
        const bool used = std::ranges::find(decision.disks, checkpoint.name, &DiskBasis::since) != decision.disks.end();
        if (is_ours(checkpoint.name) && !used) decision.obsolete.push_back(checkpoint.name);
    }
    return decision;
}

CheckpointId checkpoint_name(std::uint64_t generation, WallTime now) {
    return CheckpointId(fmt::format("{}{}.{}", kPrefix, generation, now.time_since_epoch().count()));
}

bool is_ours(const CheckpointId& checkpoint) {
    return checkpoint.text().starts_with(kPrefix);
}

}  // namespace penumbra::hypervisor
