#include <stop_token>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/libvirt/inventory.hpp"
#include "tests/contract/hypervisor/private_libvirtd.hpp"
#include "tests/contract/hypervisor/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::contract {
namespace {

using testing::fails;
using testing::is_ok;

TEST(LibvirtConnection, ADeadLibvirtdIsASentenceAndIsReachedAgainOnceItIsBack) {
    const std::unique_ptr<Rig> rig = make_rig();
    ASSERT_TRUE(is_ok(rig->inventory().list_vms()));
    private_libvirtd().kill();
    EXPECT_TRUE(fails(rig->inventory().list_vms(), ErrorCode::kUnavailable, "systemctl status"));
    EXPECT_TRUE(fails(rig->backup().backup_status(rig->vm()), ErrorCode::kUnavailable));
    EXPECT_TRUE(fails(rig->shadows().remove("s1-control"), ErrorCode::kUnavailable)) << "not: it is gone";
    private_libvirtd().start();
    const auto vms = rig->inventory().list_vms();
    ASSERT_TRUE(is_ok(vms));
    ASSERT_EQ(vms->size(), 1U);
    EXPECT_TRUE(vms->front().running) << "a domain outlives its libvirtd";
}

TEST(LibvirtConnection, ACallToALibvirtdThatHangsEnds) {
    using namespace std::chrono_literals;
    libvirt::Connection connection("qemu:///system", {.interval = 1s, .missed_max = 2});
    libvirt::LibvirtInventory inventory(connection);
    ASSERT_TRUE(is_ok(inventory.describe_host()));
    private_libvirtd().freeze();
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(fails(inventory.describe_host(), ErrorCode::kUnavailable));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);
    private_libvirtd().thaw();
    EXPECT_TRUE(is_ok(inventory.describe_host()));
}

/// Any tool on the host may ask for block statistics at any time, and gets them from QEMU's block nodes. QEMU 7.2 dies
/// of that beside a scratch image that it makes itself: ours come ready.
TEST(LibvirtConnection, AnybodysBlockStatisticsDoNotMeetOurCuts) {
    const std::unique_ptr<Rig> rig = make_rig();
    libvirt::Connection others("qemu:///system");
    const auto connection = others.get();
    ASSERT_TRUE(is_ok(connection));
    const std::jthread looking([&](const std::stop_token& stop) {
        constexpr unsigned kBlock = VIR_DOMAIN_STATS_BLOCK;
        while (!stop.stop_requested()) {
            virDomainStatsRecordPtr* records = nullptr;
            if (virConnectGetAllDomainStats(connection->get(), kBlock, &records, 0) >= 0)
                virDomainStatsRecordListFree(records);
        }
    });
    constexpr int kCuts = 200;
    for (int cut = 0; cut < kCuts && !::testing::Test::HasFailure(); ++cut) {
        const std::string name = "penumbra.1." + std::to_string(cut);
        const auto job = rig->backup().begin_backup(
            {.vm = rig->vm(),
             .checkpoint = CheckpointId(name),
             .socket = rig->run_directory() / (name + ".sock"),
             .disks = {{.disk = "vda", .since = {}, .scratch = rig->run_directory() / (name + ".scratch")}}});
        ASSERT_TRUE(is_ok(job));
        ASSERT_TRUE(is_ok(rig->backup().end_backup(rig->vm(), job->socket)));
        ASSERT_TRUE(is_ok(rig->backup().delete_checkpoint(rig->vm(), CheckpointId(name))));
    }
    EXPECT_TRUE(is_ok(rig->inventory().disk_counters(rig->vm()))) << "the VM lives";
}

}  // namespace
}  // namespace penumbra::hypervisor::contract
