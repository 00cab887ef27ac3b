#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/guest_pace.hpp"
#include "agent/holds.hpp"
#include "agent/news.hpp"
#include "base/clock.hpp"
#include "base/disk_room.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/replicator.hpp"

namespace penumbra::agent {

/// Where a backup is ordered and its job handed over. The order is laid out by the replicate flow, the job is begun by
/// the hold on the effects flow's lane, while the replicate flow waits: each sees what the other wrote.
class BackupDesk {
 public:
    BackupDesk(hypervisor::BackupControl& control, std::filesystem::path scratch)
        : control_(control), scratch_(std::move(scratch)) {}

    /// What BackupJobHold begins with.
    [[nodiscard]] Result<void> begin(const model::EffectSpec& hold, const std::filesystem::path& socket);
    void lay_out(hypervisor::GenerationPlan plan);
    /// The job of what was laid out last, once it was begun.
    [[nodiscard]] Result<hypervisor::BackupJob> take_job();
    [[nodiscard]] const std::filesystem::path& scratch() const noexcept { return scratch_; }
    /// Takes away what jobs left that ended without us: a guest that went off, a dead-man. Only while none of ours is
    /// open.
    [[nodiscard]] Result<void> clear_scratch() const;

 private:
    hypervisor::BackupControl& control_;
    std::filesystem::path scratch_;
    std::optional<hypervisor::GenerationPlan> plan_;
    std::optional<hypervisor::BackupJob> job_;
};

/// One generation of a VM: plan, cut as a hold, copy, verify, commit, and production is let go; then what nobody needs
/// of older ones goes. Thread-bound; a copy blocks it for as long as it takes.
class ReplicateFlow {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        hypervisor::VmInventory& inventory;
        hypervisor::BackupControl& backup;
        hypervisor::Replicator& replicator;
        BackupDesk& desk;
        Holds& holds;
        const Clock& clock;
        std::function<Result<DiskRoom>()> scratch_room;  ///< where the old blocks of a running cut go
        /// Asks what arms of the VM stand on; the answer comes to prune(). Waits for nobody.
        std::function<void(const VmId& vm, std::uint64_t newest)> ask_stood_on;
        Pause pause;
        Tell tell;
    };
    explicit ReplicateFlow(Parts parts) : parts_(std::move(parts)) {}

    /// Once, before the first command.
    void start();
    /// ReplicateGroup.
    void execute(const model::Command& command);
    void recover(const model::Command& command);
    /// The host is cleaned by an order of this fence: older copies end, or are not begun. Thread-safe.
    void clean(Fence fence) { cleaned_ = fence; }
    /// Removes the generations of a VM that nobody needs, once it is known what arms stand on: after a commit, and when
    /// a shadow is gone.
    void begin_pruning(const VmId& vm);
    void prune(const VmId& vm, const Result<hypervisor::StoodOn>& stood_on);
    /// Ends a copy under way, and every one to come. Thread-safe.
    void stop() { stop_.request_stop(); }

 private:
    [[nodiscard]] Result<model::Generation> replicate(const model::Command& command, const GroupId& group);
    /// The hold is placed, the generation read, the hold lifted.
    [[nodiscard]] Result<hypervisor::ReplicaManifest> read(const model::Command& command,
                                                           const hypervisor::GenerationPlan& plan, GuestPace& pace,
                                                           std::vector<std::string>& troubles);
    [[nodiscard]] Result<hypervisor::ReplicaManifest> copy(const model::Command& command,
                                                           const hypervisor::GenerationPlan& plan, const EffectId& hold,
                                                           GuestPace& pace);
    [[nodiscard]] Result<void> tidy(const GroupId& group);
    [[nodiscard]] Result<void> still_wanted(const model::Command& command) const;
    [[nodiscard]] Result<Bytes> scratch_share();
    [[nodiscard]] Result<void> check_disks(const VmId& vm, Bytes share);

    Parts parts_;
    std::stop_source stop_;
    std::map<VmId, std::string> not_pruned_;  ///< why
    std::atomic<Fence> cleaned_{};
};

}  // namespace penumbra::agent
