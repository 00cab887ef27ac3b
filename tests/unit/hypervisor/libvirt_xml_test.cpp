#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "hypervisor/backup_xml.hpp"
#include "hypervisor/cloneable.hpp"
#include "hypervisor/definition_edit.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/qcow2_header.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

constexpr const char* kDomain = R"(<domain type='kvm' id='4'>
  <name>shop</name><uuid>5e0f3c1a-7c1d-4a57-9b52-0a1b2c3d4e5f</uuid>
  <os><type>hvm</type></os><memory unit='MiB'>768</memory><vcpu current='2'>4</vcpu>
  <cputune><shares>512</shares><vcpupin vcpu='0' cpuset='1'/><quota>50000</quota></cputune>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/v/a.qcow2'/><target dev='vda'/></disk>
    <disk type='block' device='disk'><source dev='/dev/vg/b'/><target dev='vdb'/></disk>
    <disk type='file' device='cdrom'><target dev='sda'/></disk>
    <interface type='bridge'><mac address='52:54:00:10:00:10'/><source bridge='br0'/><target dev='tap-shop'/>
    <model type='virtio'/></interface>
  </devices></domain>)";

BackupRequest request() {
    return {.vm = VmId("v"),
            .checkpoint = CheckpointId("g1"),
            .socket = "/run/g1.sock",
            .disks = {{.disk = "vda", .since = CheckpointId("g0"), .scratch = "/s/a"},
                      {.disk = "vdb", .since = CheckpointId(), .scratch = "/s/b & c"}}};
}

TEST(BackupXml, NamesEveryDiskOfTheDomainAndEachOnesOwnMode) {
    const std::vector<std::string> disks{"vda", "vdb", "sda"};
    EXPECT_EQ(
        backup_xml(request(), disks),
        R"(<domainbackup mode="pull"><server transport="unix" socket="/run/g1.sock"/><disks>)"
        R"(<disk name="vda" backup="yes" type="file" backupmode="incremental" incremental="g0"><scratch file="/s/a"/></disk>)"
        R"(<disk name="vdb" backup="yes" type="file" backupmode="full"><scratch file="/s/b &amp; c"/></disk>)"
        R"(<disk name="sda" backup="no"/></disks></domainbackup>)");
    EXPECT_EQ(checkpoint_xml(request(), disks),
              R"(<domaincheckpoint><name>g1</name><disks><disk name="vda" checkpoint="bitmap"/>)"
              R"(<disk name="vdb" checkpoint="bitmap"/><disk name="sda" checkpoint="no"/></disks></domaincheckpoint>)");
}

TEST(BackupXml, ReadsWhatAJobServes) {
    const auto server = backup_server_in(
        R"(<domainbackup mode='pull'><server transport='unix' socket='/run/x'/><disks>
        <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='g0' exportname='e' exportbitmap='b'/>
        <disk name='vdb' backup='yes' backupmode='full' exportname='vdb'/><disk name='sda' backup='no'/></disks></domainbackup>)");
    ASSERT_TRUE(is_ok(server));
    EXPECT_EQ(server->socket, "/run/x");
    EXPECT_EQ(server->exports, (std::vector<BackupExport>{{.disk = "vda", .name = "e", .bitmap = "b"},
                                                          {.disk = "vdb", .name = "vdb", .bitmap = ""}}));
    EXPECT_TRUE(fails(backup_server_in("<domainbackup mode='push'/>"), ErrorCode::kUnsupported));
    EXPECT_TRUE(fails(backup_server_in("<domain/>"), ErrorCode::kInvalidArgument));
}

TEST(BackupXml, ACheckpointWithoutASizeHasNoBitmap) {
    const auto facts = checkpoint_in(R"(<domaincheckpoint><name>g0</name><creationTime>1700000001</creationTime><disks>
        <disk name='vda' checkpoint='bitmap' bitmap='g0' size='131072'/><disk name='vdb' checkpoint='bitmap'/>
        <disk name='sda' checkpoint='no'/></disks></domaincheckpoint>)");
    ASSERT_TRUE(is_ok(facts));
    EXPECT_EQ(*facts, (CheckpointFacts{.name = CheckpointId("g0"),
                                       .created_s = 1'700'000'001,
                                       .dirty = {{"vda", Bytes(131072)}, {"vdb", std::nullopt}}}));
}

TEST(DomainXml, SaysWhatAVmIs) {
    const auto facts = facts_in(kDomain);
    ASSERT_TRUE(is_ok(facts));
    EXPECT_EQ(facts->name, "shop");
    EXPECT_EQ(facts->vcpus, 2U) << "of 4 that could be plugged in";
    EXPECT_EQ(facts->memory, Bytes(768ULL << 20U));
    ASSERT_EQ(facts->disks.size(), 3U);
    EXPECT_EQ(facts->disks[1].source, "/dev/vg/b");
    EXPECT_EQ(facts->disks[1].format, "raw");
    ASSERT_EQ(facts->nics.size(), 1U);
    EXPECT_EQ(facts->nics[0].network, "br0");
    EXPECT_EQ(*tunable_disks(kDomain), (std::vector<std::string>{"vda", "vdb"}));
    EXPECT_EQ(*disk_targets(kDomain), (std::vector<std::string>{"vda", "vdb", "sda"}));
    EXPECT_TRUE(fails(facts_in("<domain>"), ErrorCode::kInvalidArgument, "malformed"));
    EXPECT_TRUE(fails(facts_in("<network/>"), ErrorCode::kInvalidArgument));
}

TEST(DomainXml, SchedulerParametersAreReplacedAndNothingElseIs) {
    EXPECT_EQ(*scheduler_in(kDomain), (SchedulerVector{{"cpu_shares", 512}, {"vcpu_quota", 50'000}}));
    const auto changed = with_scheduler(kDomain, {{"vcpu_quota", 20'000}});
    ASSERT_TRUE(is_ok(changed));
    EXPECT_EQ(*scheduler_in(*changed), (SchedulerVector{{"vcpu_quota", 20'000}}));
    EXPECT_NE(changed->find("vcpupin"), std::string::npos);
    const auto none = with_scheduler("<domain><name>x</name><cputune><shares>7</shares></cputune></domain>", {});
    ASSERT_TRUE(is_ok(none));
    EXPECT_EQ(*none, "<domain><name>x</name></domain>");
}

TEST(DefinitionEdit, WritesOnlyWhatNobodyEditedMeanwhile) {
    std::string kept = "<domain passwd='hush'/>";
    std::string edited_by_virsh;
    const DefinitionStore store{.read = [&]() -> Result<std::string> { return kept; },
                                .write = [&](const std::string& xml) -> Result<void> {
                                    kept = xml;
                                    return {};
                                }};
    const auto change = [&](std::string_view xml) -> Result<std::string> {
        if (!edited_by_virsh.empty()) kept = edited_by_virsh;
        return std::string(xml) + "<!-- ours -->";
    };
    EXPECT_TRUE(is_ok(edit_definition(store, change)));
    EXPECT_EQ(kept, "<domain passwd='hush'/><!-- ours -->");
    edited_by_virsh = "<domain passwd='hush' title='theirs'/>";
    EXPECT_TRUE(fails(edit_definition(store, change), ErrorCode::kConflict, "left as they made it"));
    EXPECT_EQ(kept, edited_by_virsh);
}

TEST(DomainXml, KnowsTheManagersThatLeaveTheirNamespace) {
    const auto manager = [](const std::string& metadata) {
        return *manager_in("<domain><metadata>" + metadata + "</metadata></domain>");
    };
    EXPECT_EQ(manager("<nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/>"), "OpenStack Nova");
    EXPECT_EQ(manager("<ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'/>"), "oVirt");
    EXPECT_EQ(manager("<one:vm xmlns:one='http://opennebula.org/xmlns/libvirt/1.0'/>"), "OpenNebula");
    EXPECT_EQ(manager("<kubevirt xmlns='http://kubevirt.io'/>"), "KubeVirt");
    EXPECT_EQ(manager("<l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'/>"), "");
    EXPECT_EQ(manager("<x:note xmlns:x='urn:x' text='http://ovirt.org/vm/1.0'/>"), "");
    EXPECT_EQ(*manager_in("<domain><metadata xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.0'/></domain>"),
              "OpenStack Nova");
    EXPECT_EQ(*manager_in("<domain><title>http://ovirt.org/vm/1.0</title></domain>"), "");
}

TEST(DomainXml, KnowsADiskThatTheHostEncrypts) {
    std::string xml(kDomain);
    EXPECT_FALSE(facts_in(xml)->disks[0].encrypted);
    constexpr const char* kLuks = "<encryption format='luks'><secret type='passphrase' uuid='u'/></encryption>";
    const std::size_t end = xml.find("<target dev='vda'/>");
    EXPECT_TRUE(facts_in(std::string(xml).insert(end, kLuks))->disks[0].encrypted);
    const std::string source = "<source file='/v/a.qcow2'";
    const std::string nested = source + ">" + kLuks + "</source>";
    const auto facts = facts_in(std::string(xml).replace(xml.find(source), source.size() + 2, nested));
    ASSERT_TRUE(is_ok(facts));
    EXPECT_TRUE(facts->disks[0].encrypted);
    EXPECT_FALSE(facts->disks[1].encrypted);
}

TEST(DomainXml, OurMarkIsANamespaceAndNotAWord) {
    EXPECT_FALSE(*is_shadow(kDomain));
    const std::string mark(kShadowMark);
    EXPECT_TRUE(*is_shadow("<domain><metadata><p:shadow xmlns:p='" + mark + "'/></metadata></domain>"));
    EXPECT_FALSE(*is_shadow("<domain><title>" + mark + "</title></domain>"));
    EXPECT_FALSE(*is_shadow("<domain><metadata><p:x xmlns:p='urn:other' note='" + mark + "'/></metadata></domain>"));
}

TEST(Cloneable, EachReasonSaysWhatToDo) {
    const std::string xml(kDomain);
    model::VmFacts facts = *facts_in(xml);
    facts.running = true;
    facts.disks[0].incremental = true;
    const auto one = [&](const std::string& changed) {
        const Cloneability cloneability = cloneability_of(facts, changed);
        EXPECT_FALSE(cloneability.possible);
        EXPECT_EQ(cloneability.reasons.size(), 1U);
        return cloneability.reasons.empty() ? std::string() : cloneability.reasons.front();
    };
    EXPECT_NE(one(xml).find("vdb is raw"), std::string::npos);
    facts.disks[1].incremental = true;
    EXPECT_TRUE(cloneability_of(facts, xml).possible) << "an empty drive is no reason";
    std::string sealed = xml;
    sealed.replace(sealed.find("<devices>"), 9, "<launchSecurity type='sev'/><devices>");
    EXPECT_NE(one(sealed).find("encrypted"), std::string::npos);
    facts.running = false;
    EXPECT_NE(one(xml).find("start it"), std::string::npos);
    EXPECT_NE(one("<domain").find("malformed"), std::string::npos);
}

TEST(Cloneable, SaysWhatAShadowWillLack) {
    std::string xml(kDomain);
    xml.replace(xml.find("</devices>"), 10, "<hostdev mode='subsystem' type='pci'/></devices>");
    model::VmFacts facts = *facts_in(xml);
    facts.running = true;
    for (model::DiskFacts& disk : facts.disks)
        disk.incremental = true;
    const Cloneability cloneability = cloneability_of(facts, xml);
    EXPECT_TRUE(cloneability.possible);
    const auto has = [&](std::string_view word) {
        return std::ranges::any_of(cloneability.reasons, [&](const auto& r) { return r.find(word) != r.npos; });
    };
    EXPECT_TRUE(has("passed through"));
    EXPECT_TRUE(has("pinned"));
}

struct Images : ::testing::Test {
    testing::TemporaryDirectory folder;
    std::filesystem::path file(const std::string& name, std::string_view bytes) {
        std::ofstream(folder.path() / name, std::ios::binary) << bytes;
        return folder.path() / name;
    }
    std::filesystem::path qcow2(char version) {
        std::string header(104, '\0');
        header.replace(0, 4, "QFI\xfb");
        header[7] = version;
        header[27] = 1;  // 4 GiB and 512 bytes
        header[30] = 2;
        return file(std::string("v") + std::to_string(version), header);
    }
};

TEST_F(Images, OnlyVersionThreeKeepsBitmaps) {
    const auto three = look_at_image(qcow2(3), "qcow2");
    ASSERT_TRUE(is_ok(three));
    EXPECT_TRUE(three->keeps_bitmaps);
    EXPECT_EQ(three->virtual_size, Bytes((4ULL << 30U) + 512));
    const auto two = look_at_image(qcow2(2), "qcow2");
    ASSERT_TRUE(is_ok(two));
    EXPECT_FALSE(two->keeps_bitmaps);
    EXPECT_EQ(two->virtual_size, three->virtual_size);
}

TEST_F(Images, ARawOneIsAsLongAsItsFile) {
    const auto raw = look_at_image(file("raw", std::string(1536, 'x')), "raw");
    ASSERT_TRUE(is_ok(raw));
    EXPECT_FALSE(raw->keeps_bitmaps);
    EXPECT_EQ(raw->virtual_size, Bytes(1536));
}

TEST_F(Images, WhatIsNoneIsRefused) {
    EXPECT_TRUE(fails(look_at_image(file("other", std::string(200, 'x')), "qcow2"), ErrorCode::kUnsupported));
    EXPECT_TRUE(fails(look_at_image(file("short", "QFI\xfb"), "qcow2"), ErrorCode::kUnsupported));
    EXPECT_TRUE(fails(look_at_image(qcow2(3), "vmdk"), ErrorCode::kUnsupported));
    EXPECT_TRUE(fails(look_at_image(folder.path() / "none", "qcow2"), ErrorCode::kNotFound));
}

}  // namespace
}  // namespace penumbra::hypervisor
