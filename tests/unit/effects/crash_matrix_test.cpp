// Every point at which the agent can die, of every effect, on stateful fakes in virtual time: whoever acts afterwards,
// production is as it was before or as it was confirmed, never half.
#include <gtest/gtest.h>

#include "tests/unit/effects/mortal_host.hpp"

namespace penumbra::effects {
namespace {

using namespace std::chrono_literals;
using journal::fake::Cut;
using model::EffectState;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::Host;
using testing::order_of;

enum class Afterwards { kNobody, kAgentAtOnce };

/// Runs `work` once for each point it can die at, from a fresh host each time, and checks what comes of it. Gives how
/// many points there were.
template <class Prepare, class Work>
std::size_t enumerate(const Order& order, Prepare prepare, Work work) {
    std::size_t points = 0;
    for (const Afterwards afterwards : {Afterwards::kNobody, Afterwards::kAgentAtOnce}) {
        bool finished = false;
        for (std::size_t index = 0; !finished; ++index, ++points) {
            Host host;
            const Image before = host.now(order);
            prepare(host);
            std::string where = "nowhere";
            host.points.cut_at(index);
            try {
                work(host);
                finished = true;
            } catch (const Cut& cut) {
                where = cut.where;
            }
            host.points.cut_at({});
            if (afterwards == Afterwards::kAgentAtOnce) {
                Engine reborn = host.new_life();
                EXPECT_TRUE(is_ok(reborn.recover())) << where;
            }
            host.clock.step_wall(-24h);
            host.clock.advance(63s);
            host.fire();
            const Result<journal::Entry> entry = host.journal.get(EffectId("e1"));
            if (entry.has_value() && entry->state == EffectState::kConfirmed) {
                EXPECT_EQ(host.now(order), entry->after) << where;
                continue;
            }
            EXPECT_EQ(host.now(order), before) << where;
            // An intent alone: it died before a dead-man was armed, so before anything was touched.
            const EffectState state = entry.has_value() ? entry->state : EffectState::kReverted;
            EXPECT_TRUE(state == EffectState::kReverted || state == EffectState::kIntended) << where;
            EXPECT_FALSE(afterwards == Afterwards::kAgentAtOnce && state == EffectState::kIntended) << where;
        }
    }
    return points;
}

struct Case {
    const char* name;
    Order order;
};

class EveryEffect : public ::testing::TestWithParam<Case> {
 protected:
    const Order& order() const { return GetParam().order; }
    bool can_stay() const {
        return model::class_of(order().spec) == model::EffectClass::kChange && order().spec.target.is_production();
    }
};

TEST_P(EveryEffect, StandsAndIsPutBack) {
    Host host;
    const Image before = host.now(order());
    const auto applied = host.engine.apply(order(), host.premises);
    ASSERT_TRUE(is_ok(applied));
    EXPECT_EQ(applied->state, EffectState::kVerified);
    EXPECT_NE(host.now(order()).live, before.live);
    EXPECT_EQ(host.now(order()).persistent, before.persistent);
    ASSERT_TRUE(is_ok(host.engine.revert(EffectId("e1"), "asked to")));
    EXPECT_EQ(host.now(order()), before);
    EXPECT_EQ(host.dead_man.armed(), 0U);
    EXPECT_EQ(host.journal.get(EffectId("e1"))->state, EffectState::kReverted);
}

TEST_P(EveryEffect, DyingAnywhereInApplyLeavesWhatWasBefore) {
    const std::size_t points = enumerate(
        order(), [](Host&) {}, [&](Host& host) { static_cast<void>(host.engine.apply(order(), host.premises)); });
    EXPECT_GT(points, 20U) << "the fakes have lost their points";
}

TEST_P(EveryEffect, DyingAnywhereWhileItIsUndoneGoesOn) {
    enumerate(
        order(), [&](Host& host) { ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises))); },
        [](Host& host) { ASSERT_TRUE(is_ok(host.engine.revert(EffectId("e1"), "asked to"))); });
}

TEST_P(EveryEffect, DyingAnywhereInConfirmLeavesOneOfBoth) {
    if (!can_stay()) {
        Host host;
        ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
        EXPECT_TRUE(fails(host.engine.confirm(EffectId("e1")), ErrorCode::kInvalidArgument));
        return;
    }
    enumerate(
        order(), [&](Host& host) { ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises))); },
        [](Host& host) { ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1")))); });
}

TEST_P(EveryEffect, DyingAnywhereWhileRevertingAConfirmedOneGoesOn) {
    if (!can_stay()) return;  // said above: it cannot be confirmed
    enumerate(
        order(),
        [&](Host& host) {
            ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
            ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1"))));
        },
        [](Host& host) { ASSERT_TRUE(is_ok(host.engine.revert(EffectId("e1"), "asked to"))); });
}

TEST_P(EveryEffect, IsRefusedWhileAnotherStandsOnTheSameThing) {
    Host host;
    ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
    Order second = order();
    second.spec.id = EffectId("e2");
    second.command = CommandId("c2");
    EXPECT_TRUE(fails(host.engine.apply(second, host.premises), ErrorCode::kConflict, "e1 stands on the same thing"));
}

INSTANTIATE_TEST_SUITE_P(
    Effects, EveryEffect,
    ::testing::Values(Case{"iotune", testing::iotune_order()},
                      Case{"cputune", order_of(model::CpuTune{.parameters = {{"vcpu_quota", 50'000}}})},
                      Case{"partition", order_of(model::Partition{})},
                      Case{"backup", order_of(model::BackupHold{.checkpoint = "pn-1"})},
                      Case{"mirror", order_of(model::MirrorHold{.bridge = "br-prod", .mirrored_port = "tap-shop"})}),
    [](const auto& item) { return std::string(item.param.name); });

TEST(Partition, TwoVmsOfAnArmShareTheBridgeAndItsRules) {
    Host host;
    ASSERT_TRUE(is_ok(host.engine.apply(order_of(model::Partition{}), host.premises)));
    host.premises.arms[0].site.domain = "another VM of the arm";
    Order second = order_of(model::Partition{});
    second.spec.id = EffectId("e2");
    second.command = CommandId("c2");
    EXPECT_TRUE(fails(host.engine.apply(second, host.premises), ErrorCode::kConflict));
}

TEST(MirrorPort, CopiesNobodyElsesTraffic) {
    Host host;
    host.the_switch.bridge("br-prod")->ports.push_back({.name = "tap-other", .number = 2});
    EXPECT_TRUE(fails(host.engine.apply(order_of(model::MirrorHold{.bridge = "br-prod", .mirrored_port = "tap-other"}),
                                        host.premises),
                      ErrorCode::kPermissionDenied, "nobody else's"));
    host.premises.vms[0].site.taps = {"tap-arm"};
    EXPECT_TRUE(fails(
        host.engine.apply(order_of(model::MirrorHold{.bridge = "br-arm", .mirrored_port = "tap-arm"}), host.premises),
        ErrorCode::kInvalidArgument, "only production"));
}

TEST(MirrorPort, ABridgeThatIsGoneLeavesNoLinksBehind) {
    Host host;
    const Order order = order_of(model::MirrorHold{.bridge = "br-prod", .mirrored_port = "tap-shop"});
    ASSERT_TRUE(is_ok(host.engine.apply(order, host.premises)));
    const netisolate::SwitchChange gone = netisolate::RemoveBridge{*host.the_switch.bridge("br-prod")};
    ASSERT_TRUE(is_ok(host.the_switch.transact(std::span(&gone, 1))));
    host.clock.advance(63s);
    host.fire();
    EXPECT_TRUE(host.the_links.state().links.empty());
    EXPECT_TRUE(host.the_links.state().spaces.empty());
    EXPECT_EQ(host.journal.get(EffectId("e1"))->state, EffectState::kReverted);
}

}  // namespace
}  // namespace penumbra::effects
