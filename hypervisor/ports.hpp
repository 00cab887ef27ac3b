#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/limits/replica.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "hypervisor/extent_set.hpp"
#include "proto/model/host.hpp"

/// The ports of flow 1, in our words. Every call blocks (milliseconds, seconds for a busy domain): call them from a
/// thread of your own, never from an event loop. Implementations are thread-safe unless they say otherwise. A VM is
/// named by its libvirt UUID. Implemented by libvirt/ and nbd/, and statefully in memory by fake/.
namespace penumbra::hypervisor {

/// What every port is: owned by one, never copied.
class Port {
 public:
    Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    Port(Port&&) = delete;
    Port& operator=(Port&&) = delete;
    virtual ~Port() = default;
};

/// Which of a domain's two configurations: the one that runs, or the one its next boot reads.
enum class Layer : unsigned char { kLive, kPersistent };

struct DiskCounters {
    Bytes read;
    Bytes written;
    std::uint64_t read_requests = 0;
    std::uint64_t write_requests = 0;
    std::chrono::nanoseconds read_time{0};
    std::chrono::nanoseconds write_time{0};
    std::uint64_t flush_requests = 0;
    std::chrono::nanoseconds flush_time{0};
};

/// What a running VM has used since it was started: for KPIs and for pacing a copy by the guest's own latency.
struct VmCounters {
    VmId vm;
    std::string name;
    std::chrono::nanoseconds cpu_time{0};
    Bytes memory_resident;
    DiskCounters disks;  ///< all of them together
};

/// What stands on this host. Read only.
class VmInventory : public Port {
 public:
    /// Version, CPUs and memory; policy and switch fields are left for others, vms is empty.
    [[nodiscard]] virtual Result<model::HostFacts> describe_host() = 0;
    /// Every domain that is not a shadow of ours, with the reasons why it can or cannot be cloned.
    [[nodiscard]] virtual Result<std::vector<model::VmFacts>> list_vms() = 0;
    /// The domain's XML without secrets. kLive of a stopped VM is kUnavailable.
    [[nodiscard]] virtual Result<std::string> domain_xml(const VmId& vm, Layer layer) = 0;
    /// All running domains in one call, shadows included.
    [[nodiscard]] virtual Result<std::vector<VmCounters>> counters() = 0;
    /// Those of one domain's disks together; kUnavailable when it is not running.
    [[nodiscard]] virtual Result<DiskCounters> disk_counters(const VmId& vm) = 0;
};

/// A checkpoint as the hypervisor lists it. Its word is not proof: see checkpoint_chain.
struct CheckpointFacts {
    CheckpointId name;
    std::int64_t created_s = 0;  ///< UTC seconds, part of its identity: names may be reused by others
    /// Bytes written since, a disk; no value where the bitmap is broken or gone (after a crash of QEMU), and while the
    /// VM is off.
    std::map<std::string, std::optional<Bytes>> dirty;
    bool stray = false;  ///< only bitmaps are left: nothing can be built on it, and created_s is not known
    friend bool operator==(const CheckpointFacts&, const CheckpointFacts&) = default;
};

struct BackupDisk {
    std::string disk;
    CheckpointId since;  ///< empty: the whole disk
    std::filesystem::path scratch;
    friend bool operator==(const BackupDisk&, const BackupDisk&) = default;
};

/// One cut over all disks listed; other disks of the VM are left out of cut and checkpoint.
struct BackupRequest {
    VmId vm;
    CheckpointId checkpoint;  ///< made by the cut: what the next generation will be built on
    std::filesystem::path socket;
    std::vector<BackupDisk> disks;
};

struct BackupExport {
    std::string disk;
    std::string name;    ///< NBD export name
    std::string bitmap;  ///< dirty-bitmap context; empty: a full one
    friend bool operator==(const BackupExport&, const BackupExport&) = default;
};

struct BackupJob {
    VmId vm;
    CheckpointFacts checkpoint;
    std::filesystem::path socket;
    std::vector<BackupExport> exports;
};

struct BackupStatus {
    std::filesystem::path socket;  ///< tells our job from a foreign one
    Bytes scratch_used;
};

/// Pull-mode backup jobs and checkpoints: beginning one is a hold (design D6) whose undo is end_backup(). Between two
/// generations a checkpoint is set aside (docs/decisions/0006).
class BackupControl : public Port {
 public:
    /// Oldest first; foreign ones included (is_ours() of checkpoint_chain tells). At the end, bitmaps of ours in the
    /// disks' images whose checkpoint was lost.
    [[nodiscard]] virtual Result<std::vector<CheckpointFacts>> checkpoints(const VmId& vm) = 0;
    /// kConflict when another backup, snapshot or migration holds the VM; kDataLoss when a bitmap named is broken.
    [[nodiscard]] virtual Result<BackupJob> begin_backup(const BackupRequest& request) = 0;
    /// The job that is open on the VM, ours or not; nothing when there is none.
    [[nodiscard]] virtual Result<std::optional<BackupStatus>> backup_status(const VmId& vm) = 0;
    /// Ends the job whose server is `socket` and waits until it is gone. No job: success. A foreign job: kConflict.
    [[nodiscard]] virtual Result<void> end_backup(const VmId& vm, const std::filesystem::path& socket) = 0;
    /// Makes the hypervisor forget a checkpoint of ours, and nothing else: its bitmaps stay in the disks and go on
    /// counting, and nobody who undefines the VM is refused. One it does not have is a success.
    [[nodiscard]] virtual Result<void> set_checkpoint_aside(const VmId& vm, const CheckpointId& checkpoint) = 0;
    /// Gives the hypervisor back one that was set aside, by name, time and disks (`dirty` without values), and says
    /// what has become of its bitmaps. One that it has is left as it is. kUnavailable while the VM is off.
    [[nodiscard]] virtual Result<CheckpointFacts> recall_checkpoint(const VmId& vm, const CheckpointFacts& known) = 0;
    /// Takes a checkpoint of ours and its bitmaps away, of a VM that is off too, and when only bitmaps are left; one
    /// that is not there is a success. Another's is kPermissionDenied; kConflict while somebody uses a stopped VM's
    /// disk.
    [[nodiscard]] virtual Result<void> delete_checkpoint(const VmId& vm, const CheckpointId& checkpoint) = 0;
};

/// Namespace of the <metadata> element that marks a domain as a shadow of ours.
inline constexpr std::string_view kShadowMark = "https://penumbra.invalid/shadow/1";

struct ShadowDomainFacts {
    std::string name;
    VmId vm;
    bool running = false;
    std::vector<std::string> taps;  ///< tap devices of a running one
};

/// The shadows' own domains. Every verb refuses (kPermissionDenied) a domain without our mark: production cannot be
/// reached through this port, whatever name it is given.
class ShadowDomains : public Port {
 public:
    [[nodiscard]] virtual Result<std::vector<ShadowDomainFacts>> list_shadows() = 0;
    /// `xml` as made by shadow_domain. The same name may be defined again while it is not running.
    [[nodiscard]] virtual Result<void> define(const std::string& xml) = 0;
    [[nodiscard]] virtual Result<void> start(const std::string& name) = 0;
    /// Powers off and undefines, nvram included; a name that is not there is a success.
    [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
    /// Whether the guest's agent answers: the guest has booted.
    [[nodiscard]] virtual Result<bool> agent_answers(const std::string& name) = 0;
};

/// Limits of one disk in libvirt's names (total_bytes_sec, write_iops_sec_max, ...); 0 or missing: no limit.
struct IoTuneVector {
    std::map<std::string, std::uint64_t> limits;
    std::string group_name;  ///< disks of one group share its limits; live, libvirt names one itself
    friend bool operator==(const IoTuneVector&, const IoTuneVector&) = default;
};

/// cputune in libvirt's names (cpu_shares, vcpu_quota, ...). Only what the layer reports.
using SchedulerVector = std::map<std::string, std::int64_t>;

/// Everything about a VM's configuration that a change may touch: what config_hash() hashes (design D18).
struct DomainConfiguration {
    std::string inactive_xml;
    SchedulerVector scheduler;                   ///< live; empty when the VM is off
    std::map<std::string, IoTuneVector> iotune;  ///< live, by disk; empty when the VM is off
    friend bool operator==(const DomainConfiguration&, const DomainConfiguration&) = default;
};

/// Reads and writes what `domain.iotune` and `domain.cputune` change. Writing back a vector that was read restores it
/// exactly, configuration() included. On production only effects/ may call the writing verbs.
class DomainTuning : public Port {
 public:
    [[nodiscard]] virtual Result<DomainConfiguration> configuration(const VmId& vm) = 0;
    [[nodiscard]] virtual Result<IoTuneVector> iotune(const VmId& vm, const std::string& disk, Layer layer) = 0;
    [[nodiscard]] virtual Result<void> set_iotune(const VmId& vm, const std::string& disk, const IoTuneVector& vector,
                                                  Layer layer) = 0;
    [[nodiscard]] virtual Result<SchedulerVector> scheduler(const VmId& vm, Layer layer) = 0;
    [[nodiscard]] virtual Result<void> set_scheduler(const VmId& vm, const SchedulerVector& vector, Layer layer) = 0;
};

/// Called once a chunk, in any order, on the caller's thread. An error ends the read and comes back from it.
using ChunkSink = std::function<Result<void>(Extent, std::span<const std::byte>)>;

/// One disk of an open backup job, read as it was at the cut. Thread-bound.
class BlockSource : public Port {
 public:
    [[nodiscard]] virtual Bytes size() const = 0;
    /// Changed since the checkpoint the job was opened with; the whole disk when it was opened without one.
    [[nodiscard]] virtual Result<ExtentSet> dirty() = 0;
    /// The parts of `within` that certainly read as zero. A hole that is not said to be zero is not among them.
    [[nodiscard]] virtual Result<ExtentSet> zeroes(const ExtentSet& within) = 0;
    /// Reads every chunk, several at once, each at most limits::kReadChunkBytesMax; `next` gives nothing at the end.
    [[nodiscard]] virtual Result<void> read(const std::function<std::optional<Extent>()>& next, const ChunkSink& sink,
                                            const std::stop_token& stop) = 0;
};

/// Opens the disks of a backup job. Thread-safe.
class BlockSources : public Port {
 public:
    [[nodiscard]] virtual Result<std::unique_ptr<BlockSource>> open(const BackupJob& job, const BackupExport& disk) = 0;
};

}  // namespace penumbra::hypervisor
