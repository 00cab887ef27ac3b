#include "effects/engine.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/effects.hpp"
#include "effects/revert/revert.hpp"
#include "tests/unit/effects/mortal_host.hpp"

namespace penumbra::effects {
namespace {

using namespace std::chrono_literals;
using model::EffectState;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::kShop;

Order order() {
    return testing::iotune_order();
}

struct Host : testing::Host {
    const Image before = now();
    Image now() { return testing::Host::now(order()); }
};

TEST(Engine, ChangesOnlyWhatRunsUntilItIsConfirmed) {
    Host host;
    const auto applied = host.engine.apply(order(), host.premises);
    ASSERT_TRUE(is_ok(applied));
    EXPECT_EQ(applied->state, EffectState::kVerified);
    EXPECT_EQ(host.now().live->at("total_iops_sec"), "200");
    EXPECT_EQ(host.now().persistent, host.before.persistent);
    ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1"))));
    EXPECT_EQ(host.now().persistent.at("total_iops_sec"), "200");
    EXPECT_EQ(host.dead_man.armed(), 0U);
}

TEST(Engine, AForeignChangeDuringTheLeaseIsNotOverwritten) {
    Host host;
    ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
    ASSERT_TRUE(is_ok(
        host.hypervisor.set_iotune(kShop, "vda", {.limits = {{"total_iops_sec", 999}}}, hypervisor::Layer::kLive)));
    host.clock.advance(61s);
    EXPECT_TRUE(host.engine.expire().empty());
    EXPECT_EQ(host.engine.statuses().at(0).state, EffectState::kConflict);
    EXPECT_EQ(host.now().live->at("total_iops_sec"), "999");
}

Order cputune_order() {
    return testing::order_of(model::CpuTune{.parameters = {{"vcpu_quota", 50'000}}});
}

TEST(Engine, WhatAnOperatorSetsBesideOutlivesConfirmationAndUndo) {
    Host host;
    using hypervisor::Layer;
    ASSERT_TRUE(is_ok(host.engine.apply(cputune_order(), host.premises)));
    ASSERT_TRUE(is_ok(host.hypervisor.set_scheduler(kShop, {{"cpu_shares", 512}}, Layer::kLive)));
    ASSERT_TRUE(is_ok(host.hypervisor.set_scheduler(kShop, {{"cpu_shares", 512}}, Layer::kPersistent)));
    ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1"))));
    EXPECT_EQ(*host.hypervisor.scheduler(kShop, Layer::kPersistent),
              (hypervisor::SchedulerVector{{"cpu_shares", 512}, {"vcpu_quota", 50'000}}));
    const auto undone = host.engine.revert(EffectId("e1"), "asked to");
    ASSERT_TRUE(is_ok(undone));
    EXPECT_EQ(undone->state, EffectState::kReverted);
    EXPECT_EQ(*host.hypervisor.scheduler(kShop, Layer::kPersistent),
              (hypervisor::SchedulerVector{{"cpu_shares", 512}}));
    EXPECT_EQ(host.hypervisor.scheduler(kShop, Layer::kLive)->at("cpu_shares"), 512);
    EXPECT_EQ(host.hypervisor.scheduler(kShop, Layer::kLive)->at("vcpu_quota"), -1);
}

TEST(Engine, WhatCannotStandBesideAnothersSettingIsAConflictAndNotTriedForEver) {
    Host host;
    for (const auto layer : {hypervisor::Layer::kLive, hypervisor::Layer::kPersistent})
        ASSERT_TRUE(is_ok(host.hypervisor.set_iotune(kShop, "vda", {.limits = {{"total_iops_sec", 500}}}, layer)));
    const Order split =
        testing::order_of(model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 0}, {"read_iops_sec", 100}}});
    ASSERT_TRUE(is_ok(host.engine.apply(split, host.premises)));
    const hypervisor::IoTuneVector theirs{.limits = {{"read_iops_sec", 100}, {"write_iops_sec", 70}}};
    ASSERT_TRUE(is_ok(host.hypervisor.set_iotune(kShop, "vda", theirs, hypervisor::Layer::kLive)));
    const auto undone = host.engine.revert(EffectId("e1"), "asked to");
    ASSERT_TRUE(is_ok(undone));
    EXPECT_EQ(undone->state, EffectState::kConflict);
    EXPECT_NE(undone->reason.find("cannot stand beside"), std::string::npos) << undone->reason;
    EXPECT_EQ(*host.hypervisor.iotune(kShop, "vda", hypervisor::Layer::kLive), theirs);
}

TEST(Engine, ADefinitionThatIsEditedAtTheVeryMomentIsPutBackLater) {
    Host host;
    ASSERT_TRUE(is_ok(host.engine.apply(cputune_order(), host.premises)));
    ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1"))));
    host.hypervisor.fail_next("set_scheduler", {.code = ErrorCode::kConflict, .message = "somebody edited it"});
    EXPECT_TRUE(fails(host.engine.revert(EffectId("e1"), "asked to"), ErrorCode::kConflict, "somebody edited it"));
    EXPECT_EQ(host.engine.statuses().at(0).state, EffectState::kReverting);
    host.clock.advance(limits::kLeaseMin);
    EXPECT_TRUE(host.engine.expire().empty());
    EXPECT_EQ(host.engine.statuses().at(0).state, EffectState::kReverted);
    EXPECT_TRUE(host.hypervisor.scheduler(kShop, hypervisor::Layer::kPersistent)->empty());
}

/// Something happens on the host between the before-image and the first write.
class MeddlingDeadMan final : public DeadMan {
 public:
    explicit MeddlingDeadMan(std::function<void()> meddle) : meddle_(std::move(meddle)) {}
    [[nodiscard]] Result<void> arm(const EffectId& /*effect*/, std::uint32_t /*arming*/,
                                   std::chrono::nanoseconds /*after*/) override {
        meddle_();
        return {};
    }
    [[nodiscard]] Result<void> disarm(const EffectId& /*effect*/, std::uint32_t /*arming*/) override { return {}; }

 private:
    std::function<void()> meddle_;
};

TEST(Engine, WhatIsSetWhileAnEffectBeginsIsNotOverwritten) {
    Host host;
    hypervisor::SchedulerVector theirs;
    MeddlingDeadMan dead_man(
        [&] { ASSERT_TRUE(is_ok(host.hypervisor.set_scheduler(kShop, theirs, hypervisor::Layer::kLive))); });
    Engine engine({.journal = host.journal,
                   .dead_man = dead_man,
                   .clock = host.clock,
                   .catalogue = host.catalogue,
                   .boot_id = "boot-1"});
    theirs = {{"vcpu_quota", 70'000}};
    EXPECT_TRUE(fails(engine.apply(cputune_order(), host.premises), ErrorCode::kConflict, "somebody changed"));
    EXPECT_EQ(host.hypervisor.scheduler(kShop, hypervisor::Layer::kLive)->at("vcpu_quota"), 70'000);
    theirs = {{"cpu_shares", 512}};
    Order second = cputune_order();
    second.spec.id = EffectId("e2");
    EXPECT_TRUE(is_ok(engine.apply(second, host.premises)));
    EXPECT_EQ(host.hypervisor.scheduler(kShop, hypervisor::Layer::kLive)->at("cpu_shares"), 512);
    EXPECT_EQ(host.hypervisor.scheduler(kShop, hypervisor::Layer::kLive)->at("vcpu_quota"), 50'000);
}

TEST(Engine, ADiskOfAThrottleGroupIsRefusedBeforeAnythingIsTouched) {
    for (const auto layer : {hypervisor::Layer::kLive, hypervisor::Layer::kPersistent}) {
        Host host;
        ASSERT_TRUE(is_ok(host.hypervisor.set_iotune(
            kShop, "vda", {.limits = {{"total_iops_sec", 500}}, .group_name = "tenant"}, layer)));
        const Image before = host.now();
        EXPECT_TRUE(fails(host.engine.apply(order(), host.premises), ErrorCode::kUnsupported,
                          "every disk of throttle group 'tenant'"));
        EXPECT_EQ(host.now(), before);
        EXPECT_TRUE(host.engine.statuses().empty());
        EXPECT_EQ(host.dead_man.armed(), 0U);
    }
}

TEST(Engine, AVmThatAnotherManagerOwnsIsMirroredAndNeverChanged) {
    Host host;
    host.premises.vms[0].managed_by = "OpenStack Nova";
    EXPECT_TRUE(fails(host.engine.apply(order(), host.premises), ErrorCode::kPermissionDenied,
                      "VM shop is managed by OpenStack Nova"));
    EXPECT_TRUE(fails(
        host.engine.apply(testing::order_of(model::CpuTune{.parameters = {{"vcpu_quota", 50'000}}}), host.premises),
        ErrorCode::kPermissionDenied, "never changed"));
    EXPECT_EQ(host.now(), host.before);
    EXPECT_TRUE(host.disk.list()->empty()) << "not even written down";
    Order on_arm = order();
    on_arm.spec.target = {.vm = kShop, .shadow = testing::kShadow, .arm = testing::kArm};
    EXPECT_TRUE(is_ok(host.engine.apply(on_arm, host.premises))) << "its clone is ours";
    Order mirror = testing::order_of(model::MirrorHold{.bridge = "br-prod", .mirrored_port = "tap-shop"});
    mirror.spec.id = EffectId("m1");
    EXPECT_TRUE(is_ok(host.engine.apply(mirror, host.premises)));
}

TEST(Engine, RefusesToBeginWhatItCannotWriteDown) {
    for (const int refusal : {ENOSPC, EIO, EROFS}) {
        Host host;
        host.disk.refuse_with(refusal);
        EXPECT_FALSE(host.engine.apply(order(), host.premises).has_value());
        EXPECT_EQ(host.now(), host.before);
        EXPECT_EQ(host.dead_man.armed(), 0U);
    }
}

TEST(Engine, WithoutADeadManNothingIsTouched) {
    Host host;
    host.dead_man.refuse();
    EXPECT_TRUE(fails(host.engine.apply(order(), host.premises), ErrorCode::kUnavailable));
    EXPECT_EQ(host.now(), host.before);
}

TEST(Engine, RefusesConfirmationAfterTheLease) {
    Host host;
    ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
    host.clock.advance(60s);
    EXPECT_TRUE(fails(host.engine.confirm(EffectId("e1")), ErrorCode::kDeadlineExceeded));
}

TEST(Engine, RefusesAFaultOnProductionWhoeverSignedIt) {
    Host host;
    Order fault = order();
    fault.spec.action = model::Partition{};
    EXPECT_TRUE(fails(host.engine.apply(fault, host.premises), ErrorCode::kPermissionDenied, "only inside a sandbox"));
}

// libvirtd is away for two hours after the lease has run out: the dead-man does not give up and does not fill the log.
TEST(Revert, KeepsTryingEverMoreRarelyUntilTheBeforeImageIsBack) {
    Host host;
    ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
    host.clock.advance(61s);
    const Reverter reverter = host.reverter(std::string());
    const Instant back = host.clock.now() + 2h;
    std::vector<std::chrono::milliseconds> waits;
    Random random(7);
    const Result<std::string> done = keep_trying(
        [&] {
            if (host.clock.now() < back)
                host.hypervisor.fail_next("set_iotune",
                                          {.code = ErrorCode::kUnavailable, .message = "libvirtd is away"});
            return run_revert(reverter, EffectId("e1"));
        },
        [&](const Error& error, std::chrono::milliseconds wait) {
            EXPECT_NE(error.describe().find("libvirtd is away"), std::string::npos);
            waits.push_back(wait);
            host.clock.advance(wait);
            return true;
        },
        random);
    ASSERT_TRUE(is_ok(done));
    EXPECT_NE(done->find("ran out"), std::string::npos) << *done;
    EXPECT_EQ(host.now(), host.before);
    ASSERT_FALSE(waits.empty());
    EXPECT_EQ(waits.front(), limits::kRevertWaitMin) << "the first try comes soon";
    EXPECT_LE(std::ranges::max(waits), limits::kRevertWaitMax) << "and so does the one after libvirtd is back";
    EXPECT_LT(waits.size(), 480U) << "every 2 s there would be 3600 lines in the log";
}

}  // namespace
}  // namespace penumbra::effects
