// The host goes down at every point of every effect, comes up again, and the agent does not: penumbra-revert --all
// alone leaves production as it was before or as it was confirmed.
#include <gtest/gtest.h>

#include "base/limits/effects.hpp"
#include "tests/unit/effects/mortal_host.hpp"

namespace penumbra::effects {
namespace {

using namespace std::chrono_literals;
using journal::fake::Cut;
using journal::fake::Unsynced;
using model::EffectState;
using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::Host;
using testing::iotune_order;
using testing::order_of;

/// A VM that does not run again has no live layer to compare.
void expect_stands(const Image& now, const Image& wanted, const std::string& where) {
    EXPECT_EQ(now.persistent, wanted.persistent) << where;
    if (now.live.has_value()) {
        EXPECT_EQ(now.live, wanted.live) << where;
    }
}

void check_after_boot(Host& host, const Order& order, const Image& before, const std::string& where) {
    const Result<std::string> done = host.revert_all();
    ASSERT_TRUE(is_ok(done)) << where;
    const Result<journal::Entry> entry = host.journal.get(EffectId("e1"));
    const bool confirmed = entry.has_value() && entry->state == EffectState::kConfirmed;
    expect_stands(host.now(order), confirmed ? entry->after : before, where);
    if (entry.has_value()) {
        EXPECT_TRUE(confirmed || entry->state == EffectState::kReverted) << where;
    }
    host.told.clear();
    EXPECT_TRUE(is_ok(host.revert_all())) << where;
    EXPECT_TRUE(host.told.empty()) << where << ": done twice, it does it once";
}

/// Runs `work` once for each point at which the power can go, whatever the disk had not written yet.
template <class Prepare, class Work>
std::size_t enumerate(const Order& order, Prepare prepare, Work work) {
    std::size_t points = 0;
    for (const Unsynced unsynced : {Unsynced::kLost, Unsynced::kTorn, Unsynced::kKept}) {
        for (const bool autostart : {true, false}) {
            bool finished = false;
            for (std::size_t index = 0; !finished; ++index, ++points) {
                Host host;
                const Image before = host.now(order);
                prepare(host);
                std::string where = "after the last step";
                host.points.cut_at(index);
                try {
                    work(host);
                    finished = true;
                } catch (const Cut& cut) {
                    where = cut.where;
                }
                host.points.cut_at({});
                host.reboot(unsynced, autostart);
                check_after_boot(host, order, before, where);
            }
        }
    }
    return points;
}

struct Case {
    const char* name;
    Order order;
};

class EveryEffectAtABoot : public ::testing::TestWithParam<Case> {
 protected:
    const Order& order() const { return GetParam().order; }
};

TEST_P(EveryEffectAtABoot, IsGoneWhereverThePowerWentWhileItWasApplied) {
    const std::size_t points = enumerate(
        order(), [](Host&) {}, [&](Host& host) { static_cast<void>(host.engine.apply(order(), host.premises)); });
    EXPECT_GT(points, 60U) << "the fakes have lost their points";
}

TEST_P(EveryEffectAtABoot, IsGoneOrWholeWhereverThePowerWentWhileItWasConfirmed) {
    enumerate(
        order(), [&](Host& host) { ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises))); },
        [](Host& host) { static_cast<void>(host.engine.confirm(EffectId("e1"))); });
}

TEST_P(EveryEffectAtABoot, IsGoneOrWholeWhereverThePowerWentWhileAConfirmedOneWasUndone) {
    enumerate(
        order(),
        [&](Host& host) {
            ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
            static_cast<void>(host.engine.confirm(EffectId("e1")));  // faults and holds cannot stay
        },
        [](Host& host) { static_cast<void>(host.engine.revert(EffectId("e1"), "asked to")); });
}

INSTANTIATE_TEST_SUITE_P(
    Effects, EveryEffectAtABoot,
    ::testing::Values(Case{"iotune", iotune_order()},
                      Case{"cputune", order_of(model::CpuTune{.parameters = {{"vcpu_quota", 50'000}}})},
                      Case{"partition", order_of(model::Partition{})},
                      Case{"backup", order_of(model::BackupHold{.checkpoint = "pn-1"})},
                      Case{"mirror", order_of(model::MirrorHold{.bridge = "br-prod", .mirrored_port = "tap-shop"})}),
    [](const auto& item) { return std::string(item.param.name); });

// ---- what a boot finds

struct TwoEffects : Host {
    Order mirror = order_of(model::MirrorHold{.bridge = "br-prod", .mirrored_port = "tap-shop"});
    const Image tuned_before = now(iotune_order());

    TwoEffects() {
        mirror.spec.id = EffectId("e2");
        mirror.command = CommandId("c2");
        EXPECT_TRUE(is_ok(engine.apply(iotune_order(), premises)));
        EXPECT_TRUE(is_ok(engine.apply(mirror, premises)));
    }
};

TEST(RevertAll, SaysASentenceForEachEffectItUndid) {
    TwoEffects host;
    host.reboot(Unsynced::kLost, true);
    const Result<std::string> done = host.revert_all();
    ASSERT_TRUE(is_ok(done));
    EXPECT_EQ(*done, "2 of 2 effects in the journal had to be undone");
    ASSERT_EQ(host.told.size(), 2U);
    EXPECT_NE(host.told[1].find("the host restarted before effect e2 was confirmed"), std::string::npos)
        << host.told[1];
    EXPECT_TRUE(host.the_switch.bridge("br-prod")->mirrors.empty());
}

TEST(RevertAll, WhatCannotBeUndoneNowIsSaidAndKeptForTheNextTime) {
    TwoEffects host;
    host.reboot(Unsynced::kLost, true);
    host.hypervisor.fail_next("configuration", {.code = ErrorCode::kUnavailable, .message = "libvirtd is away"});
    EXPECT_TRUE(fails(host.revert_all(), ErrorCode::kUnavailable, "effect e1 could not be undone"));
    EXPECT_TRUE(host.the_switch.bridge("br-prod")->mirrors.empty()) << "the others do not wait for it";
    EXPECT_FALSE(journal::is_settled(host.journal.get(EffectId("e1"))->state));
    ASSERT_TRUE(is_ok(host.revert_all()));
    EXPECT_EQ(host.journal.get(EffectId("e1"))->state, EffectState::kReverted);
    EXPECT_EQ(host.now(iotune_order()), host.tuned_before);
}

TEST(RevertAll, AnEntryThatCannotBeReadStopsNoOther) {
    TwoEffects host;
    host.reboot(Unsynced::kLost, true);
    host.disk.corrupt("e1.effect", "not an entry");
    EXPECT_TRUE(fails(host.revert_all(), ErrorCode::kDataLoss, "effect e1 could not be undone"));
    EXPECT_TRUE(host.the_switch.bridge("br-prod")->mirrors.empty());
}

TEST(RevertAll, LeavesALeaseOfThisBootToItsOwnDeadMan) {
    TwoEffects host;
    ASSERT_TRUE(is_ok(host.revert_all(fail(ErrorCode::kConflict, "the journal is held by the agent"))))
        << "nothing is due: not even the lock is asked for";
    EXPECT_TRUE(host.told.empty());
    EXPECT_EQ(host.dead_man.armed(), 2U);
    host.clock.advance(61s);
    ASSERT_TRUE(is_ok(host.revert_all()));
    EXPECT_EQ(host.told.size(), 2U);
}

TEST(RevertAll, TouchesNothingWhileSomebodyElseHoldsTheJournal) {
    TwoEffects host;
    host.reboot(Unsynced::kLost, true);
    EXPECT_TRUE(fails(host.revert_all(fail(ErrorCode::kConflict, "the journal is held by the agent")),
                      ErrorCode::kConflict, "held by the agent"));
    EXPECT_TRUE(host.told.empty());
    EXPECT_FALSE(host.the_switch.bridge("br-prod")->mirrors.empty());
}

TEST(RevertAll, GivesUpForThisTimeWhenItWasWaitedLongEnough) {
    TwoEffects host;
    host.reboot(Unsynced::kLost, true);
    const Instant give_up = host.clock.now() + limits::kRevertAllMax;
    Random random(7);
    const Result<std::string> done = keep_trying(
        [&] {
            host.hypervisor.fail_next("configuration",
                                      {.code = ErrorCode::kUnavailable, .message = "libvirtd is away"});
            return host.revert_all();
        },
        [&](const Error&, std::chrono::milliseconds time) {
            host.clock.advance(time);
            return host.clock.now() < give_up;
        },
        random);
    EXPECT_TRUE(fails(done, ErrorCode::kUnavailable, "libvirtd is away"));
    EXPECT_GE(host.clock.now(), give_up);
}

}  // namespace
}  // namespace penumbra::effects
