#include "agent/look_around.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/disk_room.hpp"
#include "netisolate/fake/fake_switch.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::agent {
namespace {

namespace fs = std::filesystem;

struct LookAround : ::testing::Test {
    testing::FakeClock clock;
    netisolate::FakeSwitch control{clock};
    testing::TemporaryDirectory root;
    const SightPlaces places{.reverter = root.path() / "penumbra-revert",
                             .replicas = root.path() / "replicas",
                             .backups = "/run/penumbra/backup",
                             .apparmor_switch = root.path() / "enabled",
                             .apparmor_rules = root.path() / "apparmor.d"};

    [[nodiscard]] HostSight look() { return look_around(places, control); }
    static void write(const fs::path& file, const std::string& text) {
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
};

TEST_F(LookAround, SaysWhetherTheSwitchAnswers) {
    EXPECT_EQ(look().switch_version, "ovs-vswitchd (Open vSwitch) 3.1.0");
    EXPECT_EQ(look().switch_silent, "");
    control.fail_call(1, {.code = ErrorCode::kUnavailable, .message = "no socket"});
    const HostSight sight = look();
    EXPECT_EQ(sight.switch_version, "");
    EXPECT_NE(sight.switch_silent.find("no socket"), std::string::npos);
}

TEST_F(LookAround, SaysWhetherTheReverterCanBeRun) {
    EXPECT_NE(look().reverter_missing.find("penumbra-revert"), std::string::npos);
    write(places.reverter, "#!/bin/sh\n");
    fs::permissions(places.reverter, fs::perms::owner_read);
    EXPECT_NE(look().reverter_missing, "");
    fs::permissions(places.reverter, fs::perms::owner_all);
    EXPECT_EQ(look().reverter_missing, "");
}

TEST_F(LookAround, AppArmorConfinesVmsWhereItIsOnAndHasRulesForThem) {
    EXPECT_FALSE(look().apparmor_confines) << "a kernel without it";
    write(places.apparmor_switch, "Y\n");
    EXPECT_FALSE(look().apparmor_confines) << "no rules for VMs";
    write(places.apparmor_rules / "abstractions" / "libvirt-qemu", "/dev/kvm rw,\n");
    EXPECT_TRUE(look().apparmor_confines);
    write(places.apparmor_switch, "N\n");
    EXPECT_FALSE(look().apparmor_confines);
}

TEST_F(LookAround, ARuleForOurSocketsIsFoundWhereRootMayWriteIt) {
    const fs::path rules = places.apparmor_rules;
    for (const fs::path& file :
         {rules / "abstractions" / "libvirt-qemu", rules / "local" / "abstractions" / "libvirt-qemu",
          rules / "abstractions" / "libvirt-qemu.d" / "penumbra"}) {
        write(file, "# /run/penumbra/backup/* rwk,\n/dev/kvm rw,");
        EXPECT_FALSE(look().apparmor_allows_backups) << file << ": it is a comment";
        write(file, "/dev/kvm rw,\n  /run/penumbra/backup/* rwk,  # ours\n");
        EXPECT_TRUE(look().apparmor_allows_backups) << file;
        fs::remove(file);
    }
}

TEST_F(LookAround, AVmIsReplicatedOnceItHasAGeneration) {
    fs::create_directories(places.replicas / "6f2c" / "staging");
    EXPECT_TRUE(look().replicated.empty());
    fs::create_directories(places.replicas / "6f2c" / "12");
    EXPECT_EQ(look().replicated, std::set<VmId>{VmId("6f2c")});
    ASSERT_TRUE(look().room.has_value());
    EXPECT_GT(*look().room, Bytes());
    // Others use this disk, too; the reserve is more than they do meanwhile.
    EXPECT_LT(*look().room + Bytes(1ULL << 30U), disk_room(places.replicas)->available) << "what stays production's";
}

}  // namespace
}  // namespace penumbra::agent
