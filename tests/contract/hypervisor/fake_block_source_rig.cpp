#include "hypervisor/fake/fake_hypervisor.hpp"
#include "tests/contract/hypervisor/block_source_rig.hpp"

namespace penumbra::hypervisor::contract {
namespace {

class FakeBlockSourceRig final : public BlockSourceRig {
 public:
    [[nodiscard]] bool keeps_bitmaps() const override { return true; }

    Result<std::unique_ptr<BlockSource>> open(const DiskHistory& history) override {
        fake::FakeVm vm;
        vm.vm = vm_;
        vm.name = "t1";
        vm.disks.push_back(fake::blank_disk("vda", kDiskBytes));
        hypervisor_.add_vm(std::move(vm));
        apply(history.before);
        CheckpointId since;
        if (history.checkpoint) {
            since = CheckpointId("cp0");
            const BackupJob job = TRY(hypervisor_.begin_backup(request(since, CheckpointId())));
            TRY(hypervisor_.end_backup(vm_, job.socket));
            apply(history.after);
        }
        const BackupJob job = TRY(hypervisor_.begin_backup(request(CheckpointId("cp1"), since)));
        return hypervisor_.open(job, job.exports.front());
    }

    void kill() override { ASSERT(hypervisor_.end_backup(vm_, "/run/fake/cp1.sock").has_value()); }

 private:
    [[nodiscard]] BackupRequest request(const CheckpointId& name, const CheckpointId& since) const {
        return {.vm = vm_,
                .checkpoint = name,
                .socket = "/run/fake/" + name.text() + ".sock",
                .disks = {{.disk = "vda", .since = since, .scratch = "/run/fake/" + name.text() + ".scratch"}}};
    }
    void apply(const std::vector<Fill>& fills) {
        for (const Fill& fill : fills) {
            const std::vector<std::byte> data(fill.extent.length(), std::byte{fill.pattern});
            const auto done = fill.pattern == 0 ? hypervisor_.guest_discard(vm_, "vda", fill.extent)
                                                : hypervisor_.guest_write(vm_, "vda", fill.extent.begin, data);
            ASSERT(done.has_value());
        }
    }

    VmId vm_{"11111111-1111-4111-8111-111111111111"};
    fake::FakeHypervisor hypervisor_;
};

}  // namespace

std::unique_ptr<BlockSourceRig> make_block_source_rig() {
    return std::make_unique<FakeBlockSourceRig>();
}

}  // namespace penumbra::hypervisor::contract
