#include "agent/replicate_flow.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/inventory_flow.hpp"
#include "base/durable_file.hpp"
#include "base/limits/flows.hpp"

namespace penumbra::agent {

// ---- the desk

void BackupDesk::lay_out(hypervisor::GenerationPlan plan) {
    job_.reset();
    plan_ = std::move(plan);
}

Result<void> BackupDesk::begin(const model::EffectSpec& hold, const std::filesystem::path& socket) {
    const auto* backup = std::get_if<model::BackupHold>(&hold.action);
    if (backup == nullptr || !plan_.has_value() || plan_->checkpoint.text() != backup->checkpoint)
        return fail(ErrorCode::kInternal, fmt::format("nobody ordered the backup {}", hold.id.text()));
    job_ = TRY(control_.begin_backup(plan_->backup_request(socket, scratch_)));
    return {};
}

Result<hypervisor::BackupJob> BackupDesk::take_job() {
    if (!job_.has_value()) return fail(ErrorCode::kInternal, "the backup's job is not known");
    return *std::exchange(job_, std::nullopt);
}

Result<void> BackupDesk::clear_scratch() const {
    std::error_code error;
    Result<void> all;
    for (std::filesystem::directory_iterator entry(scratch_, error), end; !error && entry != end;
         entry.increment(error))
        if (entry->path().extension() == ".scratch") also(all, remove_file_durably(entry->path()));
    if (error) also(all, fail_errno(error.value(), fmt::format("listing {}", scratch_.native())));
    return all;
}

// ---- the flow

/// What old blocks may take: half of what is above the reserve, for the generation grows beside them.
Result<Bytes> ReplicateFlow::scratch_share() {
    const DiskRoom room = TRY(parts_.scratch_room());
    if (const Bytes share(spare_of(room).count() / 2); share > Bytes()) return share;
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{}: make room, or the VM's old blocks have no place while it is copied", to_string(room)));
}

Result<void> ReplicateFlow::check_disks(const VmId& vm, Bytes share) {
    TRY(scratch_share());
    TRY(parts_.replicator.check_room(Bytes()));
    const auto status = TRY(parts_.backup.backup_status(vm));
    if (!status.has_value()) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("the backup job of VM {} has ended: it was taken away", vm.text()));
    }
    if (status->scratch_used <= share) return {};
    return fail(
        ErrorCode::kResourceExhausted,
        fmt::format("VM {} wrote so much during the copy that its old blocks take {} MiB of {}'s room of {} MiB: "
                    "the copy was given up before the VM's own writes would fail; make room, or copy at a quieter "
                    "time",
                    vm.text(), status->scratch_used.count() >> 20U, parts_.desk.scratch().native(),
                    share.count() >> 20U));
}

Result<void> ReplicateFlow::still_wanted(const model::Command& command) const {
    if (command.fence >= cleaned_.load()) return {};
    return fail(ErrorCode::kCancelled,
                "this host was ordered to be cleaned after this copy: order it again if it is still wanted");
}

Result<hypervisor::ReplicaManifest> ReplicateFlow::copy(const model::Command& command,
                                                        const hypervisor::GenerationPlan& plan, const EffectId& hold,
                                                        GuestPace& pace) {
    const Bytes share = TRY(scratch_share());
    const hypervisor::BackupJob job = TRY(parts_.desk.take_job());
    Instant look_at = parts_.clock.now();
    Instant prolong_at = parts_.clock.now() + limits::kBackupLease / 3;
    const auto progress = [&](const hypervisor::CopyProgress& so_far) -> Result<void> {
        TRY(still_wanted(command));
        const Instant now = parts_.clock.now();
        if (now >= prolong_at) {
            TRY(parts_.holds.prolong(hold, limits::kBackupLease));
            prolong_at = now + limits::kBackupLease / 3;
        }
        if (now < look_at) return {};
        look_at = now + limits::kCopyProgressInterval;
        TRY(check_disks(plan.vm, share));
        const double total = static_cast<double>(so_far.total.count());
        parts_.tell(Event(WorkerReported{
            progressed(command, total > 0 ? static_cast<double>(so_far.done.count()) / total : 0,
                       fmt::format("generation {}: {} of {} MiB read, {}", plan.generation, so_far.done.count() >> 20U,
                                   so_far.total.count() >> 20U, pace.sentence()),
                       so_far.left.value_or(std::chrono::seconds(0)))}));
        return {};
    };
    return parts_.replicator.copy(plan, job, model::Consistency::kCrash,
                                  {.progress = progress, .pace = [&pace](Bytes size) { pace.wait(size); }},
                                  stop_.get_token());
}

Result<hypervisor::ReplicaManifest> ReplicateFlow::read(const model::Command& command,
                                                        const hypervisor::GenerationPlan& plan, GuestPace& pace,
                                                        std::vector<std::string>& troubles) {
    const model::EffectSpec hold{.id = TRY(EffectId::parse(fmt::format("backup:{}", plan.checkpoint.text()))),
                                 .target = {.vm = plan.vm},
                                 .lease = limits::kBackupLease,
                                 .action = model::BackupHold{.checkpoint = plan.checkpoint.text()}};
    parts_.desk.lay_out(plan);
    pace.begin();
    TRY(still_wanted(command));
    TRY(parts_.holds.place(hold));
    Result<hypervisor::ReplicaManifest> manifest = copy(command, plan, hold.id, pace);
    const Result<void> lifted =
        parts_.holds.lift(hold.id, manifest.has_value() ? "the generation is read" : "the copy failed");
    follow_by(manifest, lifted);
    // Committed is committed: what is left over on production's side is a trouble, and tried again next time.
    if (manifest.has_value() && !lifted.has_value()) troubles.push_back(lifted.error().describe());
    if (lifted.has_value())
        if (const Result<void> cleared = parts_.desk.clear_scratch(); !cleared.has_value())
            troubles.push_back(cleared.error().describe());
    return manifest;
}

Result<model::Generation> ReplicateFlow::replicate(const model::Command& command, const GroupId& group) {
    TRY(still_wanted(command));
    const model::VmFacts vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), group.text()));
    std::vector<model::DiskFacts> disks;
    for (const model::DiskFacts& disk : vm.disks)
        if (!disk.source.empty()) disks.push_back(disk);
    GuestPace pace({.inventory = parts_.inventory, .clock = parts_.clock, .pause = parts_.pause}, vm.vm,
                   stop_.get_token());
    TRY(parts_.replicator.forget_checkpoints(vm.vm));
    TRY(scratch_share());
    const hypervisor::GenerationPlan plan = TRY(parts_.replicator.plan(group, vm.vm, disks));
    parts_.tell(Troubles{.flow = "replicate", .sentences = plan.troubles});
    std::vector<std::string> troubles = plan.troubles;
    Result<hypervisor::ReplicaManifest> manifest = read(command, plan, pace, troubles);
    // The checkpoint of a generation that failed is left over too.
    if (const Result<void> forgotten = parts_.replicator.forget_checkpoints(vm.vm); !forgotten.has_value())
        troubles.push_back(forgotten.error().describe());
    parts_.tell(Troubles{.flow = "replicate", .sentences = std::move(troubles)});
    if (manifest.has_value()) begin_pruning(vm.vm);
    return hypervisor::to_model(TRY(std::move(manifest)));
}

void ReplicateFlow::begin_pruning(const VmId& vm) {
    const Result<std::uint64_t> newest = parts_.replicator.newest_generation(vm);
    if (!newest.has_value()) return prune(vm, tl::unexpected(newest.error()));
    parts_.ask_stood_on(vm, *newest);
}

void ReplicateFlow::prune(const VmId& vm, const Result<hypervisor::StoodOn>& stood_on) {
    const Result<void> pruned = stood_on.has_value() ? parts_.replicator.forget_generations(vm, *stood_on)
                                                     : Result<void>(tl::unexpected(stood_on.error()));
    not_pruned_.erase(vm);
    if (!pruned.has_value())
        not_pruned_[vm] = fmt::format(
            "generations of VM {} that nobody needs were not removed, which is tried again "
            "after the next replication: {}",
            vm.text(), pruned.error().describe());
    std::vector<std::string> troubles;
    for (const auto& [each, why] : not_pruned_)
        troubles.push_back(why);
    parts_.tell(Troubles{.flow = "pruning", .sentences = std::move(troubles)});
}

void ReplicateFlow::start() {
    // An open job of an earlier life keeps what it has open, and is undone by the effects.
    if (const Result<void> cleared = parts_.desk.clear_scratch(); !cleared.has_value())
        parts_.tell(Troubles{.flow = "replicate", .sentences = {cleared.error().describe()}});
}

void ReplicateFlow::execute(const model::Command& command) {
    const auto* order = std::get_if<model::ReplicateGroup>(&command.operation);
    ASSERT(order != nullptr);
    Result<model::Generation> made = replicate(command, order->group);
    // Whatever it failed of, or although it did not: what it made is taken away with the rest.
    if (Result<void> wanted = still_wanted(command); !wanted.has_value()) {
        follow_by(wanted, made);
        made = tl::unexpected(std::move(wanted).error());
    }
    parts_.tell(Event(WorkerReported{ended(command, made, parts_.clock.wall())}));
}

Result<void> ReplicateFlow::tidy(const GroupId& group) {
    return parts_.replicator.forget_checkpoints(TRY(find_vm(TRY(parts_.inventory.list_vms()), group.text())).vm);
}

void ReplicateFlow::recover(const model::Command& command) {
    const auto* order = std::get_if<model::ReplicateGroup>(&command.operation);
    ASSERT(order != nullptr);
    // What it had the hypervisor take up is in an operator's way.
    if (const Result<void> tidied = tidy(order->group); !tidied.has_value())
        parts_.tell(Troubles{.flow = "replicate", .sentences = {tidied.error().describe()}});
    const Error error{.code = ErrorCode::kCancelled,
                      .message =
                          "the agent restarted during the copy: the generations before are as they were, "
                          "replicate again"};
    parts_.tell(Event(WorkerReported{failed(command, error, parts_.clock.wall())}));
}

}  // namespace penumbra::agent
