// Every point at which the agent can die, on stateful fakes in virtual time: whoever acts afterwards, production is as
// it was before or as it was confirmed, never half.
#include "effects/engine.hpp"

#include <cerrno>
#include <optional>

#include <gtest/gtest.h>

#include "effects/changes/iotune.hpp"
#include "effects/fake/fake_dead_man.hpp"
#include "effects/revert/revert.hpp"
#include "hypervisor/fake/fake_hypervisor.hpp"
#include "journal/fake/memory_directory.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::effects {
namespace {

using namespace std::chrono_literals;
using journal::fake::CrashPoints;
using journal::fake::Cut;
using model::EffectState;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

const VmId kShop("5f3c6c1e-0b3a-4f6e-9d3c-1f8a0c2b7d11");

/// The same effect, dying before and after every write.
class MortalIoTune final : public Effect {
 public:
    MortalIoTune(hypervisor::DomainTuning& tuning, CrashPoints& points) : inner_(tuning), points_(points) {}
    [[nodiscard]] std::string_view kind() const override { return inner_.kind(); }
    [[nodiscard]] Result<Image> read(const model::EffectSpec& spec, const Site& site) override {
        return inner_.read(spec, site);
    }
    [[nodiscard]] Result<Image> intend(const model::EffectSpec& spec, const Site& site, const Image& before) override {
        return inner_.intend(spec, site, before);
    }
    [[nodiscard]] Result<void> write(const model::EffectSpec& spec, const Site& site, Layer layer,
                                     const Values& values) override {
        points_.reach("before a write");
        TRY(inner_.write(spec, site, layer, values));
        points_.reach("after a write");
        return {};
    }
    [[nodiscard]] Result<std::string> fingerprint(const model::EffectSpec& spec, const Site& site) override {
        return inner_.fingerprint(spec, site);
    }
    [[nodiscard]] Result<Values> evidence(const model::EffectSpec& spec, const Site& site) override {
        return inner_.evidence(spec, site);
    }

 private:
    IoTuneChange inner_;
    CrashPoints& points_;
};

Order order() {
    return {.spec = {.id = EffectId("e1"),
                     .target = {.vm = kShop},
                     .lease = 60s,
                     .action = model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}}},
            .epoch = Epoch(1),
            .command = CommandId("c1")};
}

struct Host {
    CrashPoints points;
    penumbra::testing::FakeClock clock;
    hypervisor::fake::FakeHypervisor hypervisor;
    journal::fake::MemoryDirectory disk{points};
    journal::Journal journal{disk};
    fake::FakeDeadMan dead_man{clock, points};
    MortalIoTune iotune{hypervisor, points};
    Catalogue catalogue{iotune};
    Premises premises{
        .policy = {.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}},
        .vms = {{.vm = kShop, .name = "shop", .site = {.domain = kShop.text()}}},
    };
    Engine engine = new_life();
    Image before;

    Host() {
        hypervisor.add_vm({.vm = kShop, .name = "shop", .disks = {hypervisor::fake::blank_disk("vda", 1U << 20U)}});
        before = now();
    }
    Engine new_life() {
        return Engine(
            {.journal = journal, .dead_man = dead_man, .clock = clock, .catalogue = catalogue, .boot_id = "boot-1"});
    }
    Image now() { return *iotune.read(order().spec, {.domain = kShop.text()}); }
    /// What PID 1 does when timers are due.
    void fire() {
        for (const EffectId& id : dead_man.fire_due()) {
            const Reverter reverter{
                .journal = journal, .catalogue = catalogue, .clock = clock, .boot_id = "boot-1", .take_lock = [] {
                    return Result<std::string>("agent pid 7 was killed");
                }};
            EXPECT_TRUE(is_ok(run_revert(reverter, id)));
            EXPECT_TRUE(is_ok(run_revert(reverter, id)));
        }
    }
};

enum class Afterwards { kNobody, kAgentAtOnce };

/// Runs `work` once for each point it can die at, from a fresh host each time, and `check`s what comes of it.
template <class Prepare, class Work>
void enumerate(Prepare prepare, Work work) {
    for (const Afterwards afterwards : {Afterwards::kNobody, Afterwards::kAgentAtOnce}) {
        bool finished = false;
        for (std::size_t index = 0; !finished; ++index) {
            Host host;
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
                ASSERT_TRUE(is_ok(reborn.recover()));
            }
            host.clock.step_wall(-24h);
            host.clock.advance(63s);
            host.fire();
            const Result<journal::Entry> entry = host.journal.get(EffectId("e1"));
            if (entry.has_value() && entry->state == EffectState::kConfirmed) {
                EXPECT_EQ(host.now(), entry->after) << where;
            } else {
                EXPECT_EQ(host.now(), host.before) << where;
                // An intent alone: it died before a dead-man was armed, so before anything was touched.
                const EffectState state = entry.has_value() ? entry->state : EffectState::kReverted;
                EXPECT_TRUE(state == EffectState::kReverted || state == EffectState::kIntended) << where;
                EXPECT_FALSE(afterwards == Afterwards::kAgentAtOnce && state == EffectState::kIntended) << where;
            }
        }
    }
}

TEST(EngineCrash, DyingAnywhereInApplyLeavesWhatWasBefore) {
    enumerate([](Host&) {}, [](Host& host) { static_cast<void>(host.engine.apply(order(), host.premises)); });
}

TEST(EngineCrash, DyingAnywhereInConfirmLeavesOneOfBoth) {
    enumerate([](Host& host) { ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises))); },
              [](Host& host) { ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1")))); });
}

TEST(EngineCrash, DyingAnywhereWhileRevertingAConfirmedOneGoesOn) {
    enumerate(
        [](Host& host) {
            ASSERT_TRUE(is_ok(host.engine.apply(order(), host.premises)));
            ASSERT_TRUE(is_ok(host.engine.confirm(EffectId("e1"))));
        },
        [](Host& host) { ASSERT_TRUE(is_ok(host.engine.revert(EffectId("e1"), "asked to"))); });
}

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
