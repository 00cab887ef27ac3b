#include "effects/engine.hpp"

#include <algorithm>
#include <cerrno>
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
