#include "agent/core/ceiling.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/effects.hpp"

namespace penumbra::agent {
namespace {

using model::Ceiling;
using model::Rejection;

/// A host with the VMs "shop", which takes part, and "bank", which does not, and the shadow s1 of shop.
struct Host {
    model::Policy policy{.ceiling = Ceiling::kChange, .vms = {"shop"}, .effect_kinds = {"*"}, .may_run_shadows = true};
    model::HostFacts facts{.vms = {{.vm = VmId("6f2c"), .name = "shop"}, {.vm = VmId("77aa"), .name = "bank"}}};
    std::vector<model::ShadowStatus> shadows{
        {.spec = {.shadow = ShadowId("s1"), .group = GroupId("shop"), .arms = {ArmId("control"), ArmId("treated")}}}};
    std::vector<model::EffectStatus> effects{{.id = EffectId("e1")}};

    [[nodiscard]] std::optional<Refusal> refusal(const model::Operation& operation) const {
        return refusal_of(operation, {.policy = policy, .facts = facts, .shadows = shadows, .effects = effects});
    }
    [[nodiscard]] bool allows(const model::Operation& operation) const { return !refusal(operation).has_value(); }
};

model::ApplyEffect effect(model::EffectTarget target, decltype(model::EffectSpec::action) action) {
    return {.effect = {.id = EffectId("e1"), .target = std::move(target), .action = std::move(action)}};
}
const model::EffectTarget kProduction{.vm = VmId("shop")};
const model::EffectTarget kTreated{.vm = VmId("shop"), .shadow = ShadowId("s1"), .arm = ArmId("treated")};

/// Every operation a forged coordinator could send to write somewhere, with the rung it needs.
struct Rung {
    std::string name;
    model::Operation operation;
    Ceiling needs;
};
std::vector<Rung> rungs() {
    return {
        {"inspect", model::InspectVm{.vm = VmId("shop")}, Ceiling::kObserve},
        {"replicate", model::ReplicateGroup{.group = GroupId("shop")}, Ceiling::kReplicate},
        {"shadow", model::CreateShadow{.shadow = {.group = GroupId("shop")}}, Ceiling::kShadow},
        {"replay", model::StartReplay{.shadow = ShadowId("s1")}, Ceiling::kShadow},
        {"probe", model::ProbeIsolation{.shadow = ShadowId("s1"), .arm = ArmId("treated")}, Ceiling::kShadow},
        {"fault on an arm", effect(kTreated, model::Partition{}), Ceiling::kShadow},
        {"change on an arm", effect(kTreated, model::IoTune{}), Ceiling::kShadow},
        {"change on production", effect(kProduction, model::IoTune{}), Ceiling::kChange},
        {"confirm", model::ConfirmEffect{.effect = EffectId("e1")}, Ceiling::kChange},
    };
}

TEST(Ceiling, AdmitsAnOperationFromItsRungUpwards) {
    for (const Rung& rung : rungs()) {
        for (const Ceiling ceiling : {Ceiling::kObserve, Ceiling::kReplicate, Ceiling::kShadow, Ceiling::kChange}) {
            Host host;
            host.policy.ceiling = ceiling;
            EXPECT_EQ(host.allows(rung.operation), ceiling >= rung.needs) << rung.name;
        }
    }
}

TEST(Ceiling, RefusesAFaultOutsideASandboxWhateverThePolicySays) {
    const Host host;
    const model::EffectTarget half{.vm = VmId("shop"), .shadow = ShadowId("s1")};
    for (const auto& target : {kProduction, half}) {
        const auto refusal = host.refusal(effect(target, model::Partition{}));
        ASSERT_TRUE(refusal.has_value());
        EXPECT_NE(refusal->message.find("production"), std::string::npos) << refusal->message;
    }
    const model::EffectTarget elsewhere{.vm = VmId("shop"), .shadow = ShadowId("s2"), .arm = ArmId("treated")};
    EXPECT_FALSE(host.allows(effect(elsewhere, model::Partition{})));
    const model::EffectTarget no_arm{.vm = VmId("shop"), .shadow = ShadowId("s1"), .arm = ArmId("third")};
    EXPECT_FALSE(host.allows(effect(no_arm, model::Partition{})));
}

TEST(Ceiling, RefusesAHoldOverTheWire) {
    const Host host;
    EXPECT_FALSE(host.allows(effect(kProduction, model::BackupHold{})));
    EXPECT_FALSE(host.allows(effect(kTreated, model::MirrorHold{})));
}

TEST(Ceiling, RefusesAVmThatDoesNotTakePart) {
    Host host;
    const model::EffectTarget bank{.vm = VmId("bank")};
    EXPECT_EQ(host.refusal(effect(bank, model::CpuTune{}))->rejection, Rejection::kPolicy);
    EXPECT_FALSE(host.allows(model::ReplicateGroup{.group = GroupId("bank")}));
    EXPECT_FALSE(host.allows(model::CreateShadow{.shadow = {.group = GroupId("bank")}}));
    EXPECT_FALSE(host.allows(model::InspectVm{.vm = VmId("bank")}));
    EXPECT_FALSE(host.allows(model::InspectVm{.vm = VmId("nothing")}));
    host.policy.vms = {"*"};
    EXPECT_TRUE(host.allows(effect(bank, model::CpuTune{})));
    host.policy.vms = {"77aa"};
    EXPECT_TRUE(host.allows(effect(bank, model::CpuTune{})));
    EXPECT_FALSE(host.allows(effect(kProduction, model::CpuTune{})));
}

TEST(Ceiling, RefusesKindsAndRolesThePolicyDoesNotName) {
    Host host;
    host.policy.effect_kinds = {"domain.cputune"};
    EXPECT_TRUE(host.allows(effect(kTreated, model::CpuTune{})));
    EXPECT_FALSE(host.allows(effect(kTreated, model::IoTune{})));
    host.policy.may_run_shadows = false;
    EXPECT_FALSE(host.allows(model::CreateShadow{.shadow = {.group = GroupId("shop")}}));
}

TEST(Ceiling, RefusesALeaseOutOfBounds) {
    const Host host;
    auto change = effect(kProduction, model::CpuTune{});
    change.effect.lease = limits::kLeaseMin - std::chrono::seconds(1);
    EXPECT_FALSE(host.allows(change));
    change.effect.lease = limits::kLeaseMax + std::chrono::seconds(1);
    EXPECT_FALSE(host.allows(change));
}

TEST(Ceiling, ProbesOnlyASandboxThatStandsHere) {
    Host host;
    EXPECT_FALSE(host.allows(model::ProbeIsolation{.shadow = ShadowId("none"), .arm = ArmId("treated")}));
}

TEST(Ceiling, NeverRefusesToTakeOursAway) {
    Host host;
    host.policy = {};
    for (const model::Operation& operation :
         {model::Operation(model::RevertEffect{}), model::Operation(model::DestroyShadow{}),
          model::Operation(model::StopReplay{}), model::Operation(model::CleanHost{})}) {
        EXPECT_TRUE(host.allows(operation)) << model::name_of(operation);
    }
}

TEST(Ceiling, CopiesOfAnEncryptedVolumeWantRootsWord) {
    Host host;
    host.facts.vms[0].disks = {{.target = "vda"}, {.target = "vdb", .encrypted = true}};
    for (const model::Operation& order :
         {model::Operation(model::ReplicateGroup{.group = GroupId("shop")}),
          model::Operation(model::CreateShadow{.shadow = {.group = GroupId("6f2c")}})}) {
        host.policy.plaintext_replicas = false;
        const auto refusal = host.refusal(order);
        ASSERT_TRUE(refusal.has_value());
        EXPECT_EQ(refusal->rejection, Rejection::kPolicy);
        EXPECT_NE(refusal->message.find("disk vdb is encrypted"), std::string::npos) << refusal->message;
        host.policy.plaintext_replicas = true;
        EXPECT_TRUE(host.allows(order));
    }
    host.policy.plaintext_replicas = false;
    EXPECT_TRUE(host.allows(effect(kProduction, model::IoTune{}))) << "nothing is copied";
}

}  // namespace
}  // namespace penumbra::agent
