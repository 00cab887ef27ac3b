#include "effects/engine.hpp"

#include <cerrno>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace penumbra::effects
