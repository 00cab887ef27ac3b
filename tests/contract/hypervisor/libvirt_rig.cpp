#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <signal.h>

#include "base/program.hpp"
#include "hypervisor/libvirt/backup.hpp"
#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/libvirt/inventory.hpp"
#include "hypervisor/libvirt/shadows.hpp"
#include "hypervisor/libvirt/tuning.hpp"
#include "hypervisor/nbd/nbd_source.hpp"
#include "tests/contract/hypervisor/private_libvirtd.hpp"
#include "tests/contract/hypervisor/rig.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor::contract {
namespace {

constexpr const char* kVm = "11111111-1111-4111-8111-111111111111";
constexpr const char* kVncPassword = "hushhush";

// QEMU without acceleration and without an operating system: its firmware finds nothing to boot and waits.
constexpr const char* kVmXml = R"(<domain type='qemu'><name>t1</name><uuid>{}</uuid><memory unit='MiB'>32</memory>
<vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/><source file='{}'/>
<target dev='vda' bus='virtio'/></disk><graphics type='vnc' socket='{}' passwd='{}'/><video><model type='none'/></video>
<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>)";

constexpr const char* kShadowXml =
    R"(<domain type='qemu'><name>{}</name><uuid>22222222-2222-4222-8222-222222222222</uuid>
<metadata><p:shadow xmlns:p='{}'/></metadata><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>)";

void make_image(const std::string& file) {
    ASSERT(testing::run_tool({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=1.1", file,
                              fmt::to_string(Rig::kDiskBytes)}) == 0);
}

class LibvirtRig final : public Rig {
 public:
    LibvirtRig() {
        const std::string image = (folder_.path() / "vda.qcow2").string();
        make_image(image);
        const std::string screen = (folder_.path() / "vnc.sock").string();
        domain_.reset(virDomainDefineXML(host().get(),
                                         fmt::format(fmt::runtime(kVmXml), kVm, image, screen, kVncPassword).c_str()));
        ASSERT(domain_ != nullptr && virDomainCreate(domain_.get()) == 0);
    }
    LibvirtRig(const LibvirtRig&) = delete;
    LibvirtRig& operator=(const LibvirtRig&) = delete;
    LibvirtRig(LibvirtRig&&) = delete;
    LibvirtRig& operator=(LibvirtRig&&) = delete;
    ~LibvirtRig() override {
        const Result<std::vector<libvirt::DomainHandle>> domains = connection_.domains();
        ASSERT(domains.has_value());
        for (const libvirt::DomainHandle& domain : *domains) {
            virDomainDestroy(domain.get());
            virDomainUndefineFlags(domain.get(), VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA);
        }
    }

    VmInventory& inventory() override { return inventory_; }
    BackupControl& backup() override { return backup_; }
    ShadowDomains& shadows() override { return shadows_; }
    DomainTuning& tuning() override { return tuning_; }
    BlockSources& sources() override { return sources_; }
    VmId vm() override { return VmId(kVm); }
    std::filesystem::path run_directory() override { return folder_.path(); }
    bool has_live_scheduler() override { return false; }  // the private libvirtd leaves the machine's cgroups alone

    void guest_write(std::uint64_t offset, std::uint64_t bytes, std::uint8_t pattern) override {
        guest_does(fmt::format("write -P {} {} {}", pattern, offset, bytes));
    }
    void guest_zero(std::uint64_t offset, std::uint64_t bytes) override {
        guest_does(fmt::format("write -z -u {} {}", offset, bytes));
    }
    void crash() override {
        pid_t pid = 0;
        std::ifstream("/run/libvirt/qemu/t1.pid") >> pid;
        ASSERT(pid > 1 && ::kill(pid, SIGKILL) == 0);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (virDomainIsActive(domain_.get()) == 1)
            ASSERT(std::chrono::steady_clock::now() < deadline);
        ASSERT(virDomainCreate(domain_.get()) == 0);
    }
    std::string definition() override {
        const libvirt::TextHandle xml(
            virDomainGetXMLDesc(domain_.get(), VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
        ASSERT(xml != nullptr);
        EXPECT_NE(std::string_view(xml.get()).find(kVncPassword), std::string_view::npos) << "its password is lost";
        return xml.get();
    }
    void mark_as_managed(const std::string& name_space) override {
        ASSERT(virDomainSetMetadata(domain_.get(), VIR_DOMAIN_METADATA_ELEMENT, "<instance/>", "m", name_space.c_str(),
                                    VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG) == 0);
    }
    void power_off() override { ASSERT(virDomainDestroy(domain_.get()) == 0); }
    void power_on() override { ASSERT(virDomainCreate(domain_.get()) == 0); }
    void lose_checkpoint(const CheckpointId& checkpoint) override {
        const libvirt::CheckpointHandle handle(
            virDomainCheckpointLookupByName(domain_.get(), checkpoint.text().c_str(), 0));
        ASSERT(virDomainCheckpointDelete(handle.get(), VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) == 0);
    }
    bool can_be_undefined() override {
        const libvirt::TextHandle xml(virDomainGetXMLDesc(domain_.get(), VIR_DOMAIN_XML_INACTIVE));
        if (virDomainUndefine(domain_.get()) != 0) return false;
        domain_.reset(virDomainDefineXML(host().get(), xml.get()));
        ASSERT(domain_ != nullptr);
        return true;
    }
    std::vector<std::string> stored_bitmaps() override {
        std::vector<std::string> names;
        for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
            if (file.path().extension() != ".qcow2") continue;
            const auto info = run_program({"/usr/bin/qemu-img", "info", file.path()}, std::chrono::seconds(60));
            ASSERT(info.has_value() && info->status == 0);
            std::istringstream lines(info->output);
            for (std::string word; lines >> word;)
                if (word == "name:" && lines >> word) names.push_back(word);
        }
        std::ranges::sort(names);
        return names;
    }
    std::string shadow_xml(const std::string& name) override {
        return fmt::format(fmt::runtime(kShadowXml), name, kShadowMark);
    }

 private:
    std::shared_ptr<virConnect> host() { return connection_.get().value(); }

    /// By the device's own block layer, as if its guest had asked.
    void guest_does(const std::string& request) {
        const std::string command =
            fmt::format("qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend \"{}\"", request);
        char* answer = nullptr;
        ASSERT(virDomainQemuMonitorCommand(domain_.get(), command.c_str(), &answer,
                                           VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) == 0);
        const libvirt::TextHandle owned(answer);
        EXPECT_STREQ(answer, "") << command;  // QEMU answers only what it could not do
    }

    testing::TemporaryDirectory folder_;
    libvirt::Connection connection_{"qemu:///system"};
    libvirt::LibvirtInventory inventory_{connection_};
    libvirt::LibvirtBackup backup_{connection_};
    libvirt::LibvirtShadows shadows_{connection_};
    libvirt::LibvirtTuning tuning_{connection_};
    nbd::NbdSources sources_;
    libvirt::DomainHandle domain_;
};

}  // namespace

std::unique_ptr<Rig> make_rig() {
    return std::make_unique<LibvirtRig>();
}

}  // namespace penumbra::hypervisor::contract
