// The adapters of flow 1 against a real hypervisor host and its running VM "shop". test_adapters copies this program
// into hv1 of a lab and runs it there; it is of no use elsewhere.
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/limits/replica.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor/config_hash.hpp"
#include "hypervisor/libvirt/backup.hpp"
#include "hypervisor/libvirt/inventory.hpp"
#include "hypervisor/libvirt/shadows.hpp"
#include "hypervisor/libvirt/tuning.hpp"
#include "hypervisor/nbd/nbd_source.hpp"
#include "hypervisor/shadow_domain.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

const std::filesystem::path kImages = "/var/lib/libvirt/images";
constexpr auto kBootMax = std::chrono::minutes(4);

class AdaptersOnHost : public ::testing::Test {
 protected:
    void SetUp() override {
        const auto vms = inventory_.list_vms();
        ASSERT_TRUE(is_ok(vms));
        ASSERT_EQ(vms->size(), 1U);
        shop_ = vms->front();
    }
    Digest hash() {
        const auto configuration = tuning_.configuration(shop_.vm);
        EXPECT_TRUE(is_ok(configuration));
        return config_hash(configuration.value_or(DomainConfiguration{})).value_or(Digest{});
    }

    libvirt::Connection connection_{"qemu:///system"};
    libvirt::LibvirtInventory inventory_{connection_};
    libvirt::LibvirtTuning tuning_{connection_};
    libvirt::LibvirtBackup backup_{connection_};
    libvirt::LibvirtShadows shadows_{connection_};
    nbd::NbdSources sources_;
    model::VmFacts shop_;
};

TEST_F(AdaptersOnHost, TheInventoryIsRight) {
    EXPECT_EQ(shop_.name, "shop");
    EXPECT_TRUE(shop_.running);
    EXPECT_EQ(shop_.vcpus, 2U);
    EXPECT_EQ(shop_.memory, Bytes(768ULL << 20U));
    EXPECT_TRUE(shop_.cloneable) << (shop_.reasons.empty() ? "" : shop_.reasons.front());
    ASSERT_EQ(shop_.disks.size(), 1U);
    EXPECT_EQ(shop_.disks[0], (model::DiskFacts{.target = "vda",
                                                .source = "/var/lib/libvirt/images/shop.qcow2",
                                                .format = "qcow2",
                                                .virtual_size = Bytes(4ULL << 30U),
                                                .incremental = true}));
    ASSERT_EQ(shop_.nics.size(), 1U);
    EXPECT_EQ(
        shop_.nics[0],
        (model::NicFacts{.target = "tap-shop", .mac = "52:54:00:10:00:10", .network = "br-prod", .model = "virtio"}));
    const auto counters = inventory_.counters();
    ASSERT_TRUE(is_ok(counters));
    ASSERT_EQ(counters->size(), 1U);
    EXPECT_GT(counters->front().cpu_time, std::chrono::seconds(1));
    EXPECT_GT(counters->front().memory_resident, Bytes(64ULL << 20U));
    EXPECT_GT(counters->front().disks.read, Bytes(1U << 20U));
}

TEST_F(AdaptersOnHost, ALiveChangeOfTheSchedulerIsTakenBackToTheSameHash) {
    const Digest before = hash();
    const auto vector = tuning_.scheduler(shop_.vm, Layer::kLive);
    ASSERT_TRUE(is_ok(vector));
    ASSERT_FALSE(vector->empty()) << "a host under systemd has the controller";
    // not cpu_shares: libvirt gives those to systemd, which has no hand on the lab's cpu controller
    for (const auto& [name, value] : SchedulerVector{{"emulator_quota", 90'000}, {"vcpu_quota", 150'000}}) {
        ASSERT_TRUE(is_ok(tuning_.set_scheduler(shop_.vm, {{name, value}}, Layer::kLive)));
        EXPECT_EQ(tuning_.scheduler(shop_.vm, Layer::kLive)->at(name), value);
        EXPECT_NE(hash(), before);
        ASSERT_TRUE(is_ok(tuning_.set_scheduler(shop_.vm, *vector, Layer::kLive)));
        EXPECT_EQ(*tuning_.scheduler(shop_.vm, Layer::kLive), *vector);
        EXPECT_EQ(hash(), before);
    }
}

TEST_F(AdaptersOnHost, ALiveLimitOfADiskIsTakenBackToTheSameHash) {
    const Digest before = hash();
    const auto vector = tuning_.iotune(shop_.vm, "vda", Layer::kLive);
    ASSERT_TRUE(is_ok(vector));
    const IoTuneVector limited{.limits = {{"total_iops_sec", 5000}, {"total_iops_sec_max", 9000}}, .group_name = ""};
    ASSERT_TRUE(is_ok(tuning_.set_iotune(shop_.vm, "vda", limited, Layer::kLive)));
    EXPECT_NE(hash(), before);
    EXPECT_EQ(*tuning_.iotune(shop_.vm, "vda", Layer::kLive), limited) << "no group name of QEMU's own is read";
    ASSERT_TRUE(is_ok(tuning_.set_iotune(shop_.vm, "vda", *vector, Layer::kLive)));
    EXPECT_EQ(hash(), before);
}

/// The disk as it was at the cut, as a raw file with holes.
Result<std::filesystem::path> copy_disk(BlockSource& source) {
    const std::filesystem::path copy = kImages / "adapters-base.raw";
    const UniqueFd file(::open(copy.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.valid() || ::ftruncate(file.get(), static_cast<off_t>(source.size().count())) != 0)
        return fail_errno(errno, "making a copy");
    ExtentSet wanted = TRY(source.dirty());
    wanted.subtract(TRY(source.zeroes(wanted)));
    std::uint64_t at = 0;
    const auto next = [&]() -> std::optional<Extent> {
        auto extent = wanted.first_from(at);
        if (!extent) return std::nullopt;
        extent->end = std::min(extent->end, extent->begin + limits::kReadChunkBytesMax);
        at = extent->end;
        return extent;
    };
    const auto sink = [&](Extent extent, std::span<const std::byte> data) -> Result<void> {
        const ssize_t count = ::pwrite(file.get(), data.data(), data.size(), static_cast<off_t>(extent.begin));
        if (count != static_cast<ssize_t>(data.size())) return fail_errno(errno, "writing a copy");
        return {};
    };
    TRY(source.read(next, sink, {}));
    return copy;
}

TEST_F(AdaptersOnHost, AShadowBootsFromACutWhileProductionRuns) {
    const std::filesystem::path socket = "/var/lib/libvirt/qemu/adapters.sock";
    const auto job =
        backup_.begin_backup({.vm = shop_.vm,
                              .checkpoint = CheckpointId("penumbra.0.0"),
                              .socket = socket,
                              .disks = {{.disk = "vda", .since = {}, .scratch = kImages / "scratch.qcow2"}}});
    ASSERT_TRUE(is_ok(job));
    auto source = sources_.open(*job, job->exports.at(0));
    ASSERT_TRUE(is_ok(source));
    const auto copy = copy_disk(**source);
    source->reset();
    EXPECT_TRUE(is_ok(backup_.end_backup(shop_.vm, socket)));
    EXPECT_TRUE(is_ok(backup_.delete_checkpoint(shop_.vm, CheckpointId("penumbra.0.0"))));
    EXPECT_TRUE(backup_.checkpoints(shop_.vm)->empty());
    ASSERT_TRUE(is_ok(copy));

    const std::filesystem::path overlay = kImages / "adapters-overlay.qcow2";
    ASSERT_EQ(
        testing::run_tool({"qemu-img", "create", "-q", "-f", "qcow2", "-b", copy->string(), "-F", "raw", overlay}), 0);
    const auto xml = inventory_.domain_xml(shop_.vm, Layer::kLive);
    ASSERT_TRUE(is_ok(xml));
    const BootFiles boot = boot_files_in(*xml).value_or(BootFiles{});
    const ShadowPlace place{.shadow = ShadowId("s1"),
                            .arm = ArmId("control"),
                            .scale = 0.5,
                            .disks = {{"vda", overlay}},
                            .taps = {{"52:54:00:10:00:10", "tap-arm"}},
                            .copies = boot,
                            .partition = "/penumbra"};
    const auto shadow = shadow_domain(*xml, place);
    ASSERT_TRUE(is_ok(shadow));
    ASSERT_TRUE(is_ok(shadows_.define(shadow->xml)));
    ASSERT_TRUE(is_ok(shadows_.start(shadow->name)));
    const auto deadline = std::chrono::steady_clock::now() + kBootMax;
    bool answers = false;
    while (!answers && std::chrono::steady_clock::now() < deadline) {
        const auto said = shadows_.agent_answers(shadow->name);  // itself waits limits::kGuestAgentWait
        ASSERT_TRUE(is_ok(said));
        answers = *said;
    }
    EXPECT_TRUE(answers) << "the clone has not booted";
    const auto listed = shadows_.list_shadows();
    ASSERT_TRUE(is_ok(listed));
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().taps, std::vector<std::string>{"tap-arm"});
    EXPECT_EQ(inventory_.list_vms()->size(), 1U);
    EXPECT_EQ(inventory_.counters()->size(), 2U);
    EXPECT_TRUE(is_ok(shadows_.remove(shadow->name)));
    EXPECT_TRUE(shadows_.list_shadows()->empty());
    EXPECT_TRUE(inventory_.list_vms()->front().running);
}

}  // namespace
}  // namespace penumbra::hypervisor
