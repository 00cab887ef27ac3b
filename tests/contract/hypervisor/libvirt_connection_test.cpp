#include <gtest/gtest.h>

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

}  // namespace
}  // namespace penumbra::hypervisor::contract
