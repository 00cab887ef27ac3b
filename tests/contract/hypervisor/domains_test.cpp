#include <gtest/gtest.h>

#include "hypervisor/config_hash.hpp"
#include "tests/contract/hypervisor/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor::contract {
namespace {

using testing::fails;
using testing::is_ok;

class Domains : public ::testing::Test {
 protected:
    Digest hash() {
        const auto configuration = rig_->tuning().configuration(rig_->vm());
        EXPECT_TRUE(is_ok(configuration));
        const auto digest = config_hash(configuration.value_or(DomainConfiguration{}));
        EXPECT_TRUE(is_ok(digest));
        return digest.value_or(Digest{});
    }

    std::unique_ptr<Rig> rig_ = make_rig();
};

TEST_F(Domains, InventoryNamesTheVmAndItsDisks) {
    const auto vms = rig_->inventory().list_vms();
    ASSERT_TRUE(is_ok(vms));
    ASSERT_EQ(vms->size(), 1U);
    const model::VmFacts& vm = vms->front();
    EXPECT_EQ(vm.vm, rig_->vm());
    EXPECT_EQ(vm.name, "t1");
    EXPECT_TRUE(vm.running);
    EXPECT_TRUE(vm.cloneable) << (vm.reasons.empty() ? "" : vm.reasons.front());
    ASSERT_EQ(vm.disks.size(), 1U);
    EXPECT_EQ(vm.disks[0].target, "vda");
    EXPECT_EQ(vm.disks[0].format, "qcow2");
    EXPECT_EQ(vm.disks[0].virtual_size, Bytes(Rig::kDiskBytes));
    EXPECT_TRUE(vm.disks[0].incremental);
    const auto host = rig_->inventory().describe_host();
    ASSERT_TRUE(is_ok(host));
    EXPECT_FALSE(host->hypervisor_version.empty());
    EXPECT_GT(host->memory, Bytes(0));
}

TEST_F(Domains, InventorySaysWhoElseManagesAVm) {
    EXPECT_EQ(rig_->inventory().list_vms()->front().managed_by, "");
    rig_->mark_as_managed("http://openstack.org/xmlns/libvirt/nova/1.1");
    const auto vms = rig_->inventory().list_vms();
    ASSERT_TRUE(is_ok(vms));
    ASSERT_EQ(vms->size(), 1U) << "it is production still";
    EXPECT_EQ(vms->front().managed_by, "OpenStack Nova");
    EXPECT_TRUE(vms->front().cloneable);
}

TEST_F(Domains, InventoryGivesXmlAndCounters) {
    for (const Layer layer : {Layer::kLive, Layer::kPersistent}) {
        const auto xml = rig_->inventory().domain_xml(rig_->vm(), layer);
        ASSERT_TRUE(is_ok(xml));
        EXPECT_NE(xml->find("<name>t1</name>"), std::string::npos);
    }
    const auto counters = rig_->inventory().counters();
    ASSERT_TRUE(is_ok(counters));
    ASSERT_EQ(counters->size(), 1U);
    EXPECT_EQ(counters->front().vm, rig_->vm());
    EXPECT_GT(counters->front().cpu_time.count(), 0);
    EXPECT_TRUE(is_ok(rig_->inventory().disk_counters(rig_->vm())));
    const VmId nobody("99999999-9999-4999-8999-999999999999");
    EXPECT_TRUE(fails(rig_->inventory().disk_counters(nobody), ErrorCode::kNotFound));
    EXPECT_TRUE(fails(rig_->inventory().domain_xml(nobody, Layer::kLive), ErrorCode::kNotFound));
}

TEST_F(Domains, WritingAnIoTuneVectorBackRestoresTheHash) {
    for (const Layer layer : {Layer::kLive, Layer::kPersistent}) {
        const Digest hash_before = hash();
        const auto before = rig_->tuning().iotune(rig_->vm(), "vda", layer);
        ASSERT_TRUE(is_ok(before));
        const IoTuneVector limited{
            .limits = {{"total_bytes_sec", 2'000'000}, {"total_bytes_sec_max", 4'000'000}, {"write_iops_sec", 300}},
            .group_name = ""};
        ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", limited, layer)));
        const auto during = rig_->tuning().iotune(rig_->vm(), "vda", layer);
        ASSERT_TRUE(is_ok(during));
        EXPECT_EQ(*during, limited) << "nothing that the hypervisor adds of its own";
        EXPECT_NE(hash(), hash_before);
        ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", *before, layer)));
        EXPECT_EQ(*rig_->tuning().iotune(rig_->vm(), "vda", layer), *before);
        EXPECT_EQ(hash(), hash_before);
    }
}

TEST_F(Domains, OneIoTuneVectorReplacesTheOtherWhole) {
    const IoTuneVector total{.limits = {{"total_bytes_sec", 2'000'000}}, .group_name = ""};
    const IoTuneVector split{.limits = {{"read_bytes_sec", 1'000'000}, {"write_bytes_sec", 500'000}}, .group_name = ""};
    ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", total, Layer::kLive)));
    ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", split, Layer::kLive)));
    const auto now = rig_->tuning().iotune(rig_->vm(), "vda", Layer::kLive);
    ASSERT_TRUE(is_ok(now));
    EXPECT_EQ(now->limits.count("total_bytes_sec"), 0U);
    EXPECT_EQ(now->limits.at("write_bytes_sec"), 500'000U);
}

TEST_F(Domains, WritingASchedulerVectorBackRestoresTheHash) {
    for (const Layer layer : {Layer::kLive, Layer::kPersistent}) {
        if (layer == Layer::kLive && !rig_->has_live_scheduler()) continue;
        const Digest hash_before = hash();
        const auto before = rig_->tuning().scheduler(rig_->vm(), layer);
        ASSERT_TRUE(is_ok(before));
        ASSERT_TRUE(is_ok(rig_->tuning().set_scheduler(rig_->vm(), {{"vcpu_quota", 50'000}}, layer)));
        EXPECT_EQ(rig_->tuning().scheduler(rig_->vm(), layer)->at("vcpu_quota"), 50'000);
        EXPECT_NE(hash(), hash_before);
        ASSERT_TRUE(is_ok(rig_->tuning().set_scheduler(rig_->vm(), *before, layer)));
        EXPECT_EQ(*rig_->tuning().scheduler(rig_->vm(), layer), *before);
        EXPECT_EQ(hash(), hash_before);
    }
}

// The undo of a confirmed domain.cputune. The hash cannot see passwords: it is made of XML without them.
TEST_F(Domains, TakingASchedulerParameterAwayLeavesTheRestOfTheDefinition) {
    const std::string definition = rig_->definition();
    const auto before = rig_->tuning().scheduler(rig_->vm(), Layer::kPersistent);
    ASSERT_TRUE(is_ok(before));
    ASSERT_TRUE(is_ok(rig_->tuning().set_scheduler(rig_->vm(), {{"vcpu_quota", 50'000}}, Layer::kPersistent)));
    EXPECT_NE(rig_->definition(), definition);
    ASSERT_TRUE(is_ok(rig_->tuning().set_scheduler(rig_->vm(), *before, Layer::kPersistent)));
    EXPECT_EQ(rig_->definition(), definition);
}

TEST_F(Domains, AThrottleGroupIsToldInBothLayers) {
    for (const Layer layer : {Layer::kLive, Layer::kPersistent}) {
        const IoTuneVector grouped{.limits = {{"total_iops_sec", 300}}, .group_name = "tenant"};
        ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", grouped, layer)));
        EXPECT_EQ(*rig_->tuning().iotune(rig_->vm(), "vda", layer), grouped);
        const IoTuneVector other{.limits = {{"total_iops_sec", 200}}, .group_name = ""};
        ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", other, layer)));
        EXPECT_EQ(rig_->tuning().iotune(rig_->vm(), "vda", layer)->group_name, "tenant") << "it stays in it";
        ASSERT_TRUE(is_ok(rig_->tuning().set_iotune(rig_->vm(), "vda", {}, layer)));
        EXPECT_EQ(*rig_->tuning().iotune(rig_->vm(), "vda", layer), IoTuneVector{}) << "none without a limit";
    }
}

TEST_F(Domains, ATotalBesideItsPartsIsAnInvalidArgument) {
    const IoTuneVector both{.limits = {{"total_iops_sec", 300}, {"read_iops_sec", 100}}, .group_name = ""};
    for (const Layer layer : {Layer::kLive, Layer::kPersistent})
        EXPECT_TRUE(fails(rig_->tuning().set_iotune(rig_->vm(), "vda", both, layer), ErrorCode::kInvalidArgument));
}

TEST_F(Domains, TuningNamesWhatIsMissing) {
    EXPECT_TRUE(fails(rig_->tuning().iotune(rig_->vm(), "vdz", Layer::kLive), ErrorCode::kNotFound, "vdz"));
    const VmId nobody("99999999-9999-4999-8999-999999999999");
    EXPECT_TRUE(fails(rig_->tuning().configuration(nobody), ErrorCode::kNotFound));
    EXPECT_TRUE(fails(rig_->tuning().set_scheduler(nobody, {}, Layer::kLive), ErrorCode::kNotFound));
}

TEST_F(Domains, ShadowVerbsCannotReachProduction) {
    EXPECT_TRUE(fails(rig_->shadows().start("t1"), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(fails(rig_->shadows().remove("t1"), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(fails(rig_->shadows().define(rig_->shadow_xml("t1")), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(rig_->inventory().list_vms()->front().running);
    EXPECT_TRUE(rig_->shadows().list_shadows()->empty());
}

TEST_F(Domains, AShadowLivesFromDefineToRemove) {
    ASSERT_TRUE(is_ok(rig_->shadows().define(rig_->shadow_xml("s1-control"))));
    ASSERT_TRUE(is_ok(rig_->shadows().define(rig_->shadow_xml("s1-control"))));
    ASSERT_EQ(rig_->shadows().list_shadows()->size(), 1U);
    EXPECT_FALSE(rig_->shadows().list_shadows()->front().running);
    ASSERT_TRUE(is_ok(rig_->shadows().start("s1-control")));
    EXPECT_TRUE(rig_->shadows().list_shadows()->front().running);
    EXPECT_TRUE(fails(rig_->shadows().define(rig_->shadow_xml("s1-control")), ErrorCode::kAlreadyExists));
    EXPECT_EQ(rig_->inventory().list_vms()->size(), 1U) << "a shadow is not production";
    EXPECT_TRUE(is_ok(rig_->shadows().remove("s1-control")));
    EXPECT_TRUE(is_ok(rig_->shadows().remove("s1-control")));
    EXPECT_TRUE(rig_->shadows().list_shadows()->empty());
    EXPECT_TRUE(fails(rig_->shadows().start("s1-control"), ErrorCode::kNotFound));
}

}  // namespace
}  // namespace penumbra::hypervisor::contract
