#include "hypervisor/replicator.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/limits/replica.hpp"
#include "hypervisor/copy_plan.hpp"

namespace penumbra::hypervisor {
namespace {

/// One disk on its way: opened at the source, planned, then copied.
struct DiskCopy {
    std::string disk;
    std::unique_ptr<BlockSource> source;
    const VolumeManifest* base = nullptr;  ///< none: whole
    std::uint64_t base_generation = 0;
    BlockTable seen;    ///< what was read at the source, upon what the base holds
    BlockTable reread;  ///< what the target gave back, upon the same
    ExtentSet wanted;   ///< whole blocks
    CopyPlan plan;
    VolumeManifest facts;
};

/// A block that the end of the volume cuts, before or after a resize: its digest changes although nobody wrote to it.
ExtentSet blocks_cut_by_resize(std::uint64_t before, std::uint64_t after) {
    ExtentSet cut;
    if (before == after) return cut;
    for (const std::uint64_t end : {before, after}) {
        const std::uint64_t begin = end / limits::kBlockBytes * limits::kBlockBytes;
        if (begin < end && begin < after)
            cut.insert({.begin = begin, .end = std::min(begin + limits::kBlockBytes, after)});
    }
    return cut;
}

/// Copies, re-reads and compares; knows nothing of checkpoints or manifests of whole generations.
class GenerationCopy {
    static constexpr std::uint64_t kBlocksPerReport = 64;

 public:
    GenerationCopy(StagedGeneration& staged, const CopyHooks& hooks, const Clock& clock, const std::stop_token& stop)
        : staged_(staged), hooks_(hooks), clock_(clock), stop_(stop), begun_(clock.now()) {}

    [[nodiscard]] Result<void> copy_all(std::vector<DiskCopy>& disks) {
        for (const DiskCopy& disk : disks)
            total_ += disk.plan.bytes_to_read();
        for (DiskCopy& disk : disks) {
            auto copied = copy(disk);
            if (!copied.has_value())
                return fail_in(fmt::format("copying disk {}", disk.disk), std::move(copied).error());
        }
        return {};
    }

 private:
    [[nodiscard]] Result<void> copy(DiskCopy& disk) {
        StagedVolume* volume = TRY(
            staged_.add_volume({.disk = disk.disk, .virtual_size = disk.source->size(), .base = disk.base_generation}));
        const auto next = [&]() -> std::optional<Extent> {
            while (const std::optional<Chunk> chunk = disk.plan.next()) {
                if (chunk->kind == ChunkKind::kRead) {
                    pace(Bytes(chunk->extent.length()));
                    return chunk->extent;
                }
                set_zero(*volume, disk, chunk->extent);
            }
            return std::nullopt;
        };
        const auto sink = [&](Extent extent, std::span<const std::byte> data) -> Result<void> {
            return take(*volume, disk, extent, data);
        };
        TRY(disk.source->read(next, sink, stop_));
        TRY(volume->seal());
        return verify(*volume, disk);
    }

    void pace(Bytes size) const {
        if (hooks_.pace) hooks_.pace(size);
    }

    static void set_zero(StagedVolume& volume, DiskCopy& disk, Extent extent) {
        volume.zero(extent);
        disk.facts.zeroed += Bytes(extent.length());
        for (std::uint64_t at = extent.begin; at < extent.end; at += limits::kBlockBytes)
            disk.seen.set(at / limits::kBlockBytes, zero_block_digest());
    }

    /// Blocks that turn out to be zero are not stored; runs of others are written in one piece.
    [[nodiscard]] Result<void> take(StagedVolume& volume, DiskCopy& disk, Extent extent,
                                    std::span<const std::byte> data) {
        std::uint64_t run = extent.begin;
        const auto write_run = [&](std::uint64_t end) -> Result<void> {
            if (run == end) return {};
            disk.facts.sent += Bytes(end - run);
            return volume.write(run, data.subspan(run - extent.begin, end - run));
        };
        for (std::uint64_t at = extent.begin; at < extent.end; at += limits::kBlockBytes) {
            const std::uint64_t end = std::min(at + limits::kBlockBytes, extent.end);
            const Digest digest = block_digest(data.subspan(at - extent.begin, end - at));
            disk.seen.set(at / limits::kBlockBytes, digest);
            if (digest != zero_block_digest()) continue;
            TRY(write_run(at));
            volume.zero({.begin = at, .end = end});
            disk.facts.zeroed += Bytes(end - at);
            run = end;
        }
        TRY(write_run(extent.end));
        disk.facts.read += Bytes(extent.length());
        done_ += Bytes(extent.length());
        return tell(disk);
    }

    [[nodiscard]] Result<void> tell(const DiskCopy& disk) {
        if (!hooks_.progress) return {};
        return hooks_.progress({.disk = disk.disk,
                                .done = done_,
                                .total = total_,
                                .left = time_left(done_, total_, clock_.now() - begun_)});
    }

    [[nodiscard]] Result<void> verify(StagedVolume& volume, DiskCopy& disk) {
        TRY(volume.reread([&](std::uint64_t block, const Digest& digest) -> Result<void> {
            if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "the re-read was stopped on request");
            if (digest != zero_block_digest()) pace(Bytes(limits::kBlockBytes));
            // The backup is still open: whoever watches its scratch and its lease must be asked now too.
            if (block % kBlocksPerReport == 0) TRY(tell(disk));
            if (block >= disk.reread.blocks() ||
                !disk.wanted.contains({.begin = block * limits::kBlockBytes, .end = block * limits::kBlockBytes + 1}))
                return fail(ErrorCode::kDataLoss,
                            fmt::format("the target holds block {}, which was not copied", block));
            disk.reread.set(block, digest);
            return {};
        }));
        disk.facts.root = disk.seen.root();
        if (disk.reread.root() == disk.facts.root) return {};
        std::uint64_t block = 0;
        while (disk.seen.block(block) == disk.reread.block(block))
            ++block;
        return fail(ErrorCode::kDataLoss,
                    fmt::format("what was re-read at the target differs from what was read at the source, first in "
                                "block {}: the generation is dropped; look at the target's disk and memory",
                                block));
    }

    StagedGeneration& staged_;
    const CopyHooks& hooks_;
    const Clock& clock_;
    const std::stop_token& stop_;
    Instant begun_;
    Bytes done_;
    Bytes total_;
};

/// Opens one disk of the job and decides what of it is copied.
Result<DiskCopy> open_disk(const GenerationPlan& plan, const DiskBasis& basis, const BackupJob& job,
                           BlockSources& sources) {
    const auto exported = std::ranges::find(job.exports, basis.disk, &BackupExport::disk);
    const bool whole = basis.since.empty();
    if (exported == job.exports.end() || exported->bitmap.empty() != whole)
        return fail(ErrorCode::kInvalidArgument, "the backup that was begun is not the one that was planned");
    std::unique_ptr<BlockSource> source = TRY(sources.open(job, *exported));
    const std::uint64_t size = source->size().count();
    const VolumeManifest* base = whole ? nullptr : plan.base->volume(basis.disk);
    ASSERT(whole || base != nullptr);
    BlockTable table = base == nullptr ? BlockTable(size) : plan.base_tables.at(basis.disk);
    ExtentSet wanted = TRY(source->dirty());
    if (base != nullptr) wanted.insert(blocks_cut_by_resize(table.bytes(), size));
    table.resize(size);
    wanted = wanted.grown_to_blocks(limits::kBlockBytes, size);
    CopyPlan copy_plan({.size = size, .dirty = wanted, .zero = TRY(source->zeroes(wanted)), .done = {}});
    return DiskCopy{.disk = basis.disk,
                    .source = std::move(source),
                    .base = base,
                    .base_generation = base == nullptr ? 0 : plan.base->generation,
                    .seen = table,
                    .reread = std::move(table),
                    .wanted = std::move(wanted),
                    .plan = std::move(copy_plan),
                    .facts = {.disk = basis.disk,
                              .virtual_size = Bytes(size),
                              .layers = base == nullptr ? 1 : base->layers + 1,
                              .base = base == nullptr ? 0 : plan.base->generation}};
}

}  // namespace

BackupRequest GenerationPlan::backup_request(const std::filesystem::path& socket,
                                             const std::filesystem::path& scratch) const {
    BackupRequest request{.vm = vm, .checkpoint = checkpoint, .socket = socket, .disks = {}};
    for (const DiskBasis& disk : decision.disks)
        request.disks.push_back({.disk = disk.disk,
                                 .since = disk.since,
                                 .scratch = scratch / fmt::format("{}.{}.scratch", vm.text(), disk.disk)});
    return request;
}

void Replicator::take_base(GenerationPlan& plan, const ReplicaManifest& newest) {
    for (const VolumeManifest& volume : newest.volumes) {
        auto table = target_.table(newest, volume.disk);
        if (!table.has_value()) {
            plan.troubles.push_back(
                fmt::format("generation {} cannot be built on: {}", newest.generation, table.error().describe()));
            plan.base_tables.clear();
            return;
        }
        plan.base_tables.emplace(volume.disk, std::move(*table));
    }
    plan.base = newest;
}

void Replicator::recall_base(GenerationPlan& plan, const std::vector<model::DiskFacts>& disks,
                             std::vector<CheckpointFacts>& checkpoints) {
    CheckpointFacts known{.name = plan.base->checkpoint, .created_s = plan.base->checkpoint_created_s, .dirty = {}};
    for (const model::DiskFacts& disk : disks)
        if (disk.incremental && plan.base->volume(disk.target) != nullptr)
            known.dirty.emplace(disk.target, std::nullopt);
    const auto listed = std::ranges::find(checkpoints, known.name, &CheckpointFacts::name);
    if (known.dirty.empty() || (listed != checkpoints.end() && !listed->stray)) return;
    Result<CheckpointFacts> recalled = backup_.recall_checkpoint(plan.vm, known);
    if (!recalled.has_value()) {
        plan.troubles.push_back(fmt::format("nothing can be built on generation {}: {}", plan.base->generation,
                                            recalled.error().describe()));
        return;
    }
    if (listed != checkpoints.end()) checkpoints.erase(listed);
    checkpoints.push_back(std::move(*recalled));
}

Result<GenerationPlan> Replicator::plan(const GroupId& group, const VmId& vm,
                                        const std::vector<model::DiskFacts>& disks) {
    if (disks.empty()) return fail(ErrorCode::kInvalidArgument, fmt::format("VM {} has no disk to copy", vm.text()));
    TRY(check_room(Bytes()));
    ReplicaState state = TRY(target_.state(vm));
    GenerationPlan plan{.group = group,
                        .vm = vm,
                        .generation = state.next_generation,
                        .checkpoint = checkpoint_name(state.next_generation, clock_.wall()),
                        .troubles = std::move(state.troubles)};
    if (const ReplicaManifest* newest = state.newest()) take_base(plan, *newest);
    std::vector<CheckpointFacts> checkpoints = TRY(backup_.checkpoints(vm));
    if (plan.base) recall_base(plan, disks, checkpoints);
    plan.decision = decide_chain(plan.base, checkpoints, disks);
    // Why it went full must be readable: "there is no generation yet" would hide a broken one.
    if (plan.decision.kind == model::GenerationKind::kFull && !plan.troubles.empty())
        plan.decision.reason = fmt::format("{}; {}", plan.troubles.back(), plan.decision.reason);
    return plan;
}

Result<void> Replicator::forget_checkpoints(const VmId& vm) {
    const ReplicaState state = TRY(target_.state(vm));
    const ReplicaManifest* newest = state.newest();
    const std::vector<CheckpointFacts> checkpoints = TRY(backup_.checkpoints(vm));
    for (const CheckpointFacts& checkpoint : checkpoints) {
        if (!is_ours(checkpoint.name)) continue;
        const bool needed = newest != nullptr && checkpoint.name == newest->checkpoint &&
                            (checkpoint.stray || checkpoint.created_s == newest->checkpoint_created_s);
        if (!needed) {
            TRY(backup_.delete_checkpoint(vm, checkpoint.name));
        } else if (!checkpoint.stray) {
            TRY(backup_.set_checkpoint_aside(vm, checkpoint.name));
        }
    }
    return {};
}

Result<std::optional<CheckpointId>> Replicator::checkpoint_aside(const VmId& vm) {
    const ReplicaState state = TRY(target_.state(vm));
    if (state.newest() == nullptr) return std::nullopt;
    return state.newest()->checkpoint;
}

Result<std::uint64_t> Replicator::newest_generation(const VmId& vm) {
    const ReplicaState state = TRY(target_.state(vm));
    return state.newest() == nullptr ? 0 : state.newest()->generation;
}

Result<void> Replicator::forget_generations(const VmId& vm, const StoodOn& stood_on) {
    const ReplicaState state = TRY(target_.state(vm));
    for (const std::uint64_t generation : superfluous_generations(state.generations, stood_on))
        TRY(target_.remove(vm, generation));
    return {};
}

Result<void> Replicator::check_room(Bytes needed) {
    const DiskRoom room = TRY(target_.room());
    if (has_room_for(needed, room)) return {};
    const std::string wanted =
        needed == Bytes() ? "" : fmt::format("; this generation may take {} MiB", needed.count() >> 20U);
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{}{}: make room, or destroy shadows whose arms fill it", to_string(room), wanted));
}

Result<ReplicaManifest> Replicator::copy(const GenerationPlan& plan, const BackupJob& job,
                                         model::Consistency consistency, const CopyHooks& hooks,
                                         const std::stop_token& stop) {
    if (job.vm != plan.vm || job.checkpoint.name != plan.checkpoint)
        return fail(ErrorCode::kInvalidArgument, "the backup that was begun is not the one that was planned");
    std::vector<DiskCopy> disks;
    for (const DiskBasis& basis : plan.decision.disks) {
        auto disk = open_disk(plan, basis, job, sources_);
        if (!disk.has_value())
            return fail_in(fmt::format("preparing to copy disk {}", basis.disk), std::move(disk).error());
        disks.push_back(std::move(*disk));
    }
    Bytes needed;
    for (const DiskCopy& disk : disks)
        needed += disk.plan.bytes_to_read();
    TRY(check_room(needed));
    const std::unique_ptr<StagedGeneration> staged = TRY(target_.stage(plan.vm, plan.generation));
    TRY(GenerationCopy(*staged, hooks, clock_, stop).copy_all(disks));

    ReplicaManifest manifest{.group = plan.group,
                             .vm = plan.vm,
                             .generation = plan.generation,
                             .kind = plan.decision.kind,
                             .kind_reason = plan.decision.reason,
                             .consistency = consistency,
                             .checkpoint = job.checkpoint.name,
                             .checkpoint_created_s = job.checkpoint.created_s,
                             .volumes = {}};
    std::map<std::string, BlockTable> tables;
    for (DiskCopy& disk : disks) {
        manifest.volumes.push_back(std::move(disk.facts));
        tables.emplace(disk.disk, std::move(disk.reread));
    }
    return staged->commit(std::move(manifest), tables);
}

}  // namespace penumbra::hypervisor
