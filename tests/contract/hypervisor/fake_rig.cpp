#include <vector>

#include <fmt/format.h>

#include "hypervisor/fake/fake_hypervisor.hpp"
#include "tests/contract/hypervisor/rig.hpp"

namespace penumbra::hypervisor::contract {
namespace {

class FakeRig final : public Rig {
 public:
    FakeRig() {
        fake::FakeVm vm;
        vm.vm = vm_;
        vm.name = "t1";
        vm.disks.push_back(fake::blank_disk("vda", kDiskBytes));
        hypervisor_.add_vm(std::move(vm));
    }
    VmInventory& inventory() override { return hypervisor_; }
    BackupControl& backup() override { return hypervisor_; }
    ShadowDomains& shadows() override { return hypervisor_; }
    DomainTuning& tuning() override { return hypervisor_; }
    BlockSources& sources() override { return hypervisor_; }
    VmId vm() override { return vm_; }
    std::filesystem::path run_directory() override { return "/run/fake"; }
    bool has_live_scheduler() override { return true; }

    void guest_write(std::uint64_t offset, std::uint64_t bytes, std::uint8_t pattern) override {
        const std::vector<std::byte> data(bytes, std::byte{pattern});
        ASSERT(hypervisor_.guest_write(vm_, "vda", offset, data).has_value());
    }
    void guest_zero(std::uint64_t offset, std::uint64_t bytes) override {
        ASSERT(hypervisor_.guest_discard(vm_, "vda", {.begin = offset, .end = offset + bytes}).has_value());
    }
    void crash() override { hypervisor_.crash(vm_); }
    std::string definition() override { return hypervisor_.domain_xml(vm_, Layer::kPersistent).value(); }
    void mark_as_managed(const std::string& name_space) override {
        hypervisor_.set_metadata(vm_, fmt::format("<m:instance xmlns:m='{}'/>", name_space));
    }
    void power_off() override { hypervisor_.power_off(vm_); }
    void power_on() override { hypervisor_.power_on(vm_); }
    void lose_checkpoint(const CheckpointId& checkpoint) override { hypervisor_.lose_checkpoint(vm_, checkpoint); }
    bool can_be_undefined() override { return hypervisor_.can_be_undefined(vm_); }
    std::vector<std::string> stored_bitmaps() override { return hypervisor_.bitmaps(vm_); }
    std::string shadow_xml(const std::string& name) override {
        return fmt::format(
            "<domain><name>{}</name><uuid>22222222-2222-4222-8222-222222222222</uuid><metadata><p:shadow xmlns:p='{}'/>"
            "</metadata></domain>",
            name, kShadowMark);
    }

 private:
    VmId vm_{"11111111-1111-4111-8111-111111111111"};
    fake::FakeHypervisor hypervisor_;
};

}  // namespace

std::unique_ptr<Rig> make_rig() {
    return std::make_unique<FakeRig>();
}

}  // namespace penumbra::hypervisor::contract
