#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "effects/changes/cputune.hpp"
#include "effects/changes/iotune.hpp"
#include "effects/engine.hpp"
#include "effects/fake/fake_dead_man.hpp"
#include "effects/faults/partition.hpp"
#include "effects/holds/backup_job.hpp"
#include "effects/holds/mirror_port.hpp"
#include "effects/revert/revert.hpp"
#include "hypervisor/fake/fake_hypervisor.hpp"
#include "journal/fake/memory_directory.hpp"
#include "netisolate/fake/fake_links.hpp"
#include "netisolate/fake/fake_switch.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::effects::testing {

using journal::fake::CrashPoints;

/// An effect during which the agent can die before and after every write.
class MortalEffect final : public Effect {
 public:
    MortalEffect(Effect& inner, CrashPoints& points) : inner_(inner), points_(points) {}
    [[nodiscard]] std::string_view kind() const override { return inner_.kind(); }
    [[nodiscard]] Share share() const override { return inner_.share(); }
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
    Effect& inner_;
    CrashPoints& points_;
};

/// A switch and links during each change of which the agent can die: a mirror is made of several.
class MortalSwitch final : public netisolate::SwitchControl {
 public:
    MortalSwitch(netisolate::SwitchControl& inner, CrashPoints& points) : inner_(inner), points_(points) {}
    [[nodiscard]] Result<std::string> version() override { return inner_.version(); }
    [[nodiscard]] Result<std::vector<netisolate::Bridge>> bridges() override { return inner_.bridges(); }
    [[nodiscard]] Result<void> transact(std::span<const netisolate::SwitchChange> changes) override {
        TRY(inner_.transact(changes));
        points_.reach("after a change of the switch");
        return {};
    }
    [[nodiscard]] Result<std::vector<netisolate::Flow>> flows(std::string_view bridge) override {
        return inner_.flows(bridge);
    }
    [[nodiscard]] Result<void> apply(std::string_view bridge, const netisolate::FlowBundle& bundle) override {
        TRY(inner_.apply(bridge, bundle));
        points_.reach("after a change of flows");
        return {};
    }
    [[nodiscard]] Result<std::vector<netisolate::DatapathFlow>> datapath_flows() override {
        return inner_.datapath_flows();
    }
    [[nodiscard]] Result<void> settle() override { return inner_.settle(); }

 private:
    netisolate::SwitchControl& inner_;
    CrashPoints& points_;
};

class MortalLinks final : public netisolate::LinkControl {
 public:
    MortalLinks(netisolate::LinkControl& inner, CrashPoints& points) : inner_(inner), points_(points) {}
    [[nodiscard]] Result<netisolate::NetworkState> observe() override { return inner_.observe(); }
    [[nodiscard]] Result<void> add_space(std::string_view space) override { return then_die(inner_.add_space(space)); }
    [[nodiscard]] Result<void> remove_space(std::string_view space) override {
        return then_die(inner_.remove_space(space));
    }
    [[nodiscard]] Result<void> add_link(const netisolate::Link& link, const netisolate::Link* peer) override {
        return then_die(inner_.add_link(link, peer));
    }
    [[nodiscard]] Result<void> remove_link(std::string_view space, std::string_view name) override {
        return then_die(inner_.remove_link(space, name));
    }
    [[nodiscard]] Result<void> set(std::string_view space, std::string_view name,
                                   const netisolate::LinkSettings& settings) override {
        return then_die(inner_.set(space, name, settings));
    }
    [[nodiscard]] Result<void> add_address(std::string_view space, std::string_view link,
                                           std::string_view address) override {
        return then_die(inner_.add_address(space, link, address));
    }
    [[nodiscard]] Result<void> remove_address(std::string_view space, std::string_view link,
                                              std::string_view address) override {
        return then_die(inner_.remove_address(space, link, address));
    }
    [[nodiscard]] Result<void> deliver_from(std::string_view space, std::string_view link) override {
        return then_die(inner_.deliver_from(space, link));
    }
    [[nodiscard]] Result<void> sever(std::span<const std::string> names) override { return inner_.sever(names); }

 private:
    Result<void> then_die(Result<void> done) {
        if (done.has_value()) points_.reach("after a change of links");
        return done;
    }
    netisolate::LinkControl& inner_;
    CrashPoints& points_;
};

inline const VmId kShop("5f3c6c1e-0b3a-4f6e-9d3c-1f8a0c2b7d11");
inline const VmId kClone("0d9f2f7c-52ab-4c39-8f52-6b9d5a1f4e02");
inline const ShadowId kShadow("s1");
inline const ArmId kArm("treated");

inline Order order_of(decltype(model::EffectSpec::action) action) {
    using namespace std::chrono_literals;
    const bool is_fault = std::holds_alternative<model::Partition>(action);
    model::EffectTarget target{.vm = kShop};
    if (is_fault) target = {.vm = kShop, .shadow = kShadow, .arm = kArm};
    return {.spec = {.id = EffectId("e1"), .target = target, .lease = 60s, .action = std::move(action)},
            .epoch = Epoch(1),
            .command = CommandId("c1")};
}

inline Order iotune_order() {
    return order_of(model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}});
}

/// One host with a production VM on the bridge br-prod and an arm on br-arm, and an agent that can die at any point.
struct Host {
    CrashPoints points;
    penumbra::testing::FakeClock clock;
    hypervisor::fake::FakeHypervisor hypervisor;
    netisolate::FakeSwitch the_switch{clock};
    netisolate::FakeLinks the_links;
    MortalSwitch control{the_switch, points};
    MortalLinks links{the_links, points};
    journal::fake::MemoryDirectory disk{points};
    journal::Journal journal{disk};
    fake::FakeDeadMan dead_man{clock, points};

    IoTuneChange plain_iotune{hypervisor};
    CpuTuneChange plain_cputune{hypervisor};
    BackupJobHold plain_backup{hypervisor, "/run/penumbra/backup",
                               [this](const model::EffectSpec& spec, const std::filesystem::path& socket) {
                                   return begin_backup(spec, socket);
                               }};
    MortalEffect iotune{plain_iotune, points};
    MortalEffect cputune{plain_cputune, points};
    MortalEffect backup{plain_backup, points};
    PartitionFault partition{control};
    MirrorPortHold mirror{control, links};
    Catalogue catalogue{iotune, cputune, partition, backup, mirror};
    Premises premises{
        .policy = {.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}},
        .vms = {{.vm = kShop,
                 .name = "shop",
                 .site = {.domain = kShop.text(), .bridge = "br-prod", .taps = {"tap-shop"}}}},
        .arms = {{.shadow = kShadow,
                  .arm = kArm,
                  .site = {.domain = kClone.text(), .bridge = "br-arm", .taps = {"tap-arm"}}}},
    };
    std::string boot_id = "boot-1";
    std::vector<std::string> told;
    Engine engine = new_life();

    Host() {
        using hypervisor::fake::blank_disk;
        hypervisor.add_vm({.vm = kShop, .name = "shop", .disks = {blank_disk("vda", 1U << 16U)}});
        hypervisor.add_vm({.vm = kClone, .name = "clone", .disks = {blank_disk("vda", 1U << 16U)}});
        the_switch.put_bridge({.name = "br-prod", .ports = {{.name = "tap-shop", .number = 1}}});
        the_switch.put_bridge({.name = "br-arm",
                               .owner = "s1:treated",
                               .settings = {.fail_mode = netisolate::FailMode::kSecure},
                               .ports = {{.name = "tap-arm", .number = 1}, {.name = "veth-arm", .number = 2}}});
    }
    Engine new_life() {
        return Engine(
            {.journal = journal, .dead_man = dead_man, .clock = clock, .catalogue = catalogue, .boot_id = boot_id});
    }
    /// What stands of an order's resource now.
    Image now(const Order& order) {
        Effect& effect = **catalogue.find(order.spec);
        const Site& site = order.spec.target.is_production() ? premises.vms[0].site : premises.arms[0].site;
        return *effect.read(order.spec, site);
    }
    /// Power is cut and comes back: what ran is gone and timers with it; VMs start by themselves where `autostart`.
    void reboot(journal::fake::Unsynced unsynced, bool autostart) {
        disk.cut_power(unsynced);
        dead_man.reboot();
        the_switch.restart();
        the_links.state() = {};
        for (const VmId& vm : {kShop, kClone}) {
            hypervisor.power_off(vm);
            if (autostart) hypervisor.power_on(vm);
        }
        clock.advance(-(clock.now() - Instant(std::chrono::seconds(20))));
        boot_id = "boot-2";
    }
    /// What PID 1 does when timers are due.
    void fire() {
        for (const EffectId& id : dead_man.fire_due()) {
            EXPECT_TRUE(penumbra::testing::is_ok(run_revert(reverter("agent pid 7 was killed"), id)));
            EXPECT_TRUE(penumbra::testing::is_ok(run_revert(reverter("agent pid 7 was killed"), id)));
        }
    }
    /// What penumbra-revert works with.
    Reverter reverter(const Result<std::string>& lock) {
        return {.journal = journal, .catalogue = catalogue, .clock = clock, .boot_id = boot_id, .take_lock = [lock] {
                    return lock;
                }};
    }
    /// What penumbra-revert-boot.service does; what was undone is added to `told`.
    Result<std::string> revert_all(const Result<std::string>& lock = std::string()) {
        return run_revert_all(reverter(lock), [this](const EffectId& id, const std::string& done) {
            EXPECT_NE(done.find(id.text()), std::string::npos) << done;
            told.push_back(done);
        });
    }

 private:
    Result<void> begin_backup(const model::EffectSpec& spec, const std::filesystem::path& socket) {
        const auto& action = std::get<model::BackupHold>(spec.action);
        TRY(hypervisor.begin_backup({.vm = spec.target.vm,
                                     .checkpoint = CheckpointId(action.checkpoint),
                                     .socket = socket,
                                     .disks = {{.disk = "vda", .scratch = "/var/tmp/scratch"}}}));
        return {};
    }
};

}  // namespace penumbra::effects::testing
