#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::fake {

/// A disk of a fake VM. `zero` is what certainly reads as zero, as base:allocation would say.
struct FakeDisk {
    std::string target = "vda";
    std::vector<std::byte> data;
    ExtentSet zero;
    bool incremental = true;  ///< qcow2 compat 1.1
    bool encrypted = false;   ///< by the host (LUKS)
    IoTuneVector live;
    IoTuneVector persistent;
    std::uint64_t requests = 0;  ///< the guest's own
    std::chrono::nanoseconds request_time{0};
};

struct FakeVm {
    VmId vm;
    std::string name;
    bool running = true;
    std::uint32_t vcpus = 2;
    Bytes memory{1U << 30U};
    std::vector<FakeDisk> disks;
    std::vector<model::NicFacts> nics;
    std::string metadata;  ///< what stands in its <metadata>
    std::string xml;       ///< what domain_xml() gives; empty: a plain one made from the fields above
    SchedulerVector live{{"cpu_shares", 1024}, {"vcpu_period", 100'000}, {"vcpu_quota", -1}};
    SchedulerVector persistent;  ///< what is written down
};

/// A disk of `bytes` zeroes, all of it known to be zero.
[[nodiscard]] FakeDisk blank_disk(std::string target, std::uint64_t bytes);

/// A hypervisor in memory that behaves as libvirt 9.0 with QEMU 7.2 was seen to: bitmaps of 64 KiB, one job a domain, a
/// crash breaks bitmaps, a full scratch fails the guest's own write. Thread-safe. Hooks plant faults and act as a
/// guest.
class FakeHypervisor final : public VmInventory,
                             public BackupControl,
                             public ShadowDomains,
                             public DomainTuning,
                             public BlockSources {
 public:
    void add_vm(FakeVm vm);

    /// The next call of this verb ("begin_backup", "set_iotune", ...) fails like this, once, and does nothing.
    void fail_next(const std::string& verb, Error error);
    /// The next call of this verb does its work and then fails like this: the answer was lost.
    void lose_answer_of_next(const std::string& verb, Error error);
    /// Every read of a backup fails with kUnavailable after so many more chunks.
    void break_reads_after(std::uint64_t chunks);
    /// One bit of the next chunk read is flipped on its way.
    void corrupt_next_read();
    /// Old data that a guest's writes push out during a job fill the scratch up to here.
    void set_scratch_limit(Bytes limit);
    void set_agent_answers(bool answers);
    void set_memory_available(Bytes available);
    void set_encrypted(const VmId& vm, const std::string& disk, bool encrypted);
    /// Another manager leaves its mark: the element in the VM's <metadata>.
    void set_metadata(const VmId& vm, std::string element);

    /// What a guest does. A write that does not fit the scratch fails with kResourceExhausted and changes nothing.
    [[nodiscard]] Result<void> guest_write(const VmId& vm, const std::string& disk, std::uint64_t offset,
                                           std::span<const std::byte> data);
    [[nodiscard]] Result<void> guest_discard(const VmId& vm, const std::string& disk, Extent extent);
    /// So many requests reach its first disk, and took so long each.
    void guest_requests(const VmId& vm, std::uint64_t count, std::chrono::nanoseconds each);
    [[nodiscard]] std::vector<std::byte> disk_content(const VmId& vm, const std::string& disk) const;
    /// QEMU dies: the job is gone, bitmaps are broken; the VM is running again at once.
    void crash(const VmId& vm);
    void power_off(const VmId& vm);
    /// What runs is made from the persistent layer.
    void power_on(const VmId& vm);
    /// Somebody made the hypervisor forget a checkpoint; its bitmaps stay.
    void lose_checkpoint(const VmId& vm, const CheckpointId& checkpoint);
    /// Whether an operator's `virsh undefine` of the VM would be done.
    [[nodiscard]] bool can_be_undefined(const VmId& vm) const;
    /// Names of the bitmaps in the VM's disks, in order of the name.
    [[nodiscard]] std::vector<std::string> bitmaps(const VmId& vm) const;

    [[nodiscard]] Result<model::HostFacts> describe_host() override;
    [[nodiscard]] Result<std::vector<model::VmFacts>> list_vms() override;
    [[nodiscard]] Result<std::string> domain_xml(const VmId& vm, Layer layer) override;
    [[nodiscard]] Result<std::vector<VmCounters>> counters() override;
    [[nodiscard]] Result<DiskCounters> disk_counters(const VmId& vm) override;

    [[nodiscard]] Result<std::vector<CheckpointFacts>> checkpoints(const VmId& vm) override;
    [[nodiscard]] Result<BackupJob> begin_backup(const BackupRequest& request) override;
    [[nodiscard]] Result<std::optional<BackupStatus>> backup_status(const VmId& vm) override;
    [[nodiscard]] Result<void> end_backup(const VmId& vm, const std::filesystem::path& socket) override;
    [[nodiscard]] Result<void> set_checkpoint_aside(const VmId& vm, const CheckpointId& checkpoint) override;
    [[nodiscard]] Result<CheckpointFacts> recall_checkpoint(const VmId& vm, const CheckpointFacts& known) override;
    [[nodiscard]] Result<void> delete_checkpoint(const VmId& vm, const CheckpointId& checkpoint) override;

    [[nodiscard]] Result<std::vector<ShadowDomainFacts>> list_shadows() override;
    [[nodiscard]] Result<void> define(const std::string& xml) override;
    [[nodiscard]] Result<void> start(const std::string& name) override;
    [[nodiscard]] Result<void> remove(const std::string& name) override;
    [[nodiscard]] Result<bool> agent_answers(const std::string& name) override;

    [[nodiscard]] Result<DomainConfiguration> configuration(const VmId& vm) override;
    [[nodiscard]] Result<IoTuneVector> iotune(const VmId& vm, const std::string& disk, Layer layer) override;
    [[nodiscard]] Result<void> set_iotune(const VmId& vm, const std::string& disk, const IoTuneVector& vector,
                                          Layer layer) override;
    [[nodiscard]] Result<SchedulerVector> scheduler(const VmId& vm, Layer layer) override;
    [[nodiscard]] Result<void> set_scheduler(const VmId& vm, const SchedulerVector& vector, Layer layer) override;

    [[nodiscard]] Result<std::unique_ptr<BlockSource>> open(const BackupJob& job, const BackupExport& disk) override;

    /// What BlockSource reads from; shared with the sources that are open. Not for tests.
    struct Cut;
    struct Faults;

 private:
    struct Domain;
    struct Job;
    struct ShadowDomain;

    [[nodiscard]] Result<Domain*> find(const VmId& vm);
    [[nodiscard]] Result<FakeDisk*> find_disk(const VmId& vm, const std::string& disk);
    [[nodiscard]] Result<void> before(const std::string& verb);
    [[nodiscard]] Result<void> after(const std::string& verb);
    [[nodiscard]] Result<void> touch(Domain& domain, FakeDisk& disk, Extent extent);
    [[nodiscard]] static std::string xml_of(const FakeVm& vm, Layer layer);
    [[nodiscard]] static std::string render_xml(const FakeVm& vm, Layer layer);

    mutable std::mutex mutex_;
    std::map<VmId, std::shared_ptr<Domain>> domains_;
    std::map<std::string, std::shared_ptr<ShadowDomain>> shadows_;
    std::map<std::string, Error> fail_next_;
    std::map<std::string, Error> lose_answer_;
    std::shared_ptr<Faults> faults_;
    Bytes scratch_limit_{UINT64_MAX};
    bool agent_answers_ = true;
    Bytes memory_available_{6ULL << 30U};
    std::int64_t clock_s_ = 1'700'000'000;  // one second a checkpoint, so that identities differ
};

}  // namespace penumbra::hypervisor::fake
