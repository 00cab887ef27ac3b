#pragma once

#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agent/arm_builder.hpp"
#include "agent/effects_flow.hpp"
#include "agent/fake/fake_arm_storage.hpp"
#include "agent/shadow_flow.hpp"
#include "agent/watch_flow.hpp"
#include "effects/changes/iotune.hpp"
#include "effects/fake/fake_dead_man.hpp"
#include "effects/faults/partition.hpp"
#include "hypervisor/fake/fake_hypervisor.hpp"
#include "journal/fake/memory_directory.hpp"
#include "netisolate/fake/fake_links.hpp"
#include "netisolate/fake/fake_switch.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/agent/news_box.hpp"

namespace penumbra::agent {

inline const VmId kShop("11111111-0000-4000-8000-000000000001");
inline const Error kBroken{.code = ErrorCode::kInternal, .message = "it broke"};

/// What outlives an agent: hypervisor, switch, kernel, disk and PID 1, all in memory and in the test's own time.
struct Host {
    testing::FakeClock clock;
    journal::fake::CrashPoints points;
    hypervisor::fake::FakeHypervisor hypervisor;
    netisolate::FakeSwitch control{clock};
    netisolate::FakeLinks links;
    fake::FakeArmStorage storage;
    journal::fake::MemoryDirectory effects_disk{points};
    journal::fake::MemoryDirectory shadows_disk{points};
    effects::fake::FakeDeadMan dead_man{clock, points};
    bool serves = true;

    Host() {
        hypervisor.add_vm(
            {.vm = kShop,
             .name = "shop",
             .disks = {hypervisor::fake::blank_disk("vda", 1U << 20U)},
             .nics = {{.target = "tap-shop", .mac = "52:54:00:10:00:10", .network = "br-prod", .model = "virtio"}}});
        netisolate::Bridge bridge{.name = "br-prod", .settings = {.datapath = netisolate::DatapathType::kNetdev}};
        bridge.ports.push_back({.name = "tap-shop", .number = 1});
        control.put_bridge(std::move(bridge));
        links.state().links.push_back({.name = "eth1", .settings = {.up = true}});
        storage.commit(kShop, 1);
    }
    /// Nothing of a shadow is on this host, and so many mirrors that observe production.
    [[nodiscard]] ::testing::AssertionResult is_clean(std::size_t mirrors = 0) {
        const auto domains = hypervisor.list_shadows();
        if (!domains.has_value() || !domains->empty()) return ::testing::AssertionFailure() << "a domain is left";
        if (control.bridges()->size() != 1) return ::testing::AssertionFailure() << "a bridge is left";
        const std::size_t mirrored = control.bridges()->front().mirrors.size();
        if (mirrored != mirrors) return ::testing::AssertionFailure() << "there are " << mirrored << " mirrors";
        // Each has a veth's two ends and a bridge that keeps the host's own stack away from it.
        const std::size_t linked = links.state().links.size();
        if (linked != 1 + 3 * mirrors) return ::testing::AssertionFailure() << "there are " << linked << " links";
        if (links.state().spaces.size() != mirrors) return ::testing::AssertionFailure() << "a namespace is left";
        if (!storage.owners()->empty()) return ::testing::AssertionFailure() << "files of an arm are left";
        if (!shadows_disk.list()->empty()) return ::testing::AssertionFailure() << "a record is left";
        return ::testing::AssertionSuccess();
    }
};

/// How a domain of the fake hypervisor becomes an arm's.
inline Drafting plain_drafting() {
    return {.boot_files = [](std::string_view) { return Result<hypervisor::BootFiles>(); },
            .domain = [](std::string_view, const hypervisor::ShadowPlace& place) -> Result<hypervisor::ShadowDomain> {
                const std::string name = fmt::format("{}.{}", place.shadow.text(), place.arm.text());
                if (place.taps.empty() || place.disks.empty())
                    return fail(ErrorCode::kInvalidArgument, "a tap or an overlay is missing");
                return hypervisor::ShadowDomain{
                    .xml = fmt::format("<domain><name>{0}</name><uuid>uuid-{0}</uuid><metadata><shadow xmlns='{1}'/>"
                                       "</metadata></domain>",
                                       name, hypervisor::kShadowMark),
                    .name = name,
                    .vm = VmId("uuid-" + name),
                    .vcpus = 1,
                    .memory = Bytes(512U << 20U),
                    .gaps = {"the memory is half of production's"}};
            }};
}

/// One life of the flows that make shadows and effects, on the test's thread. The host outlives it.
struct Life {
    explicit Life(Host& host)
        : engine({.journal = journal,
                  .dead_man = host.dead_man,
                  .clock = host.clock,
                  .catalogue = catalogue,
                  .boot_id = "boot-1"}),
          host_(host),
          journal(host.effects_disk),
          iotune(host.hypervisor),
          partition(host.control),
          effects({.engine = engine,
                   .inventory = host.hypervisor,
                   .tuning = host.hypervisor,
                   .policy =
                       [] {
                           return Result<model::Policy>(
                               {.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}});
                       },
                   .clock = host.clock,
                   .tell = news.tell()}),
          watch({.control = host.control,
                 .links = host.links,
                 .clock = host.clock,
                 .severed =
                     [this](const std::string& owner, const std::string& reason) {
                         shadows.severed(owner, reason);
                         return true;
                     },
                 .mirror_severed = {},
                 .tell = news.tell()}),
          builder({.domains = host.hypervisor,
                   .control = host.control,
                   .links = host.links,
                   .storage = host.storage,
                   .guards = watch}),
          book(host.shadows_disk),
          shadows({.inventory = host.hypervisor,
                   .domains = host.hypervisor,
                   .control = host.control,
                   .builder = builder,
                   .storage = host.storage,
                   .guards = watch,
                   .book = book,
                   .clock = host.clock,
                   .addresses = {{"shop", {.servers = {"10.20.0.10:80"}, .gateways = {"10.20.0.1/24"}}}},
                   .drafting = plain_drafting(),
                   .answers = [&host](const std::string&, const std::string&) { return Result<bool>(host.serves); },
                   .arms_stand = [this](std::vector<effects::SandboxedArm> arms) { effects.set_arms(std::move(arms)); },
                   .end_replay = [](ShadowRecord&) { return Result<void>(); },
                   .let_go = [this](const VmId& vm) { let_go.push_back(vm); },
                   .tell = news.tell()}) {
        effects.start();
        shadows.start();
    }
    void pass(std::chrono::seconds time) {
        for (; time.count() > 0; time -= std::chrono::seconds(1)) {
            host_.clock.advance(std::chrono::seconds(1));
            effects.tick();
            watch.round();
            shadows.tick();
        }
    }
    static model::Command command(const std::string& id, model::Operation operation) {
        return {.id = CommandId(id), .epoch = Epoch(1), .fence = Fence(1), .operation = std::move(operation)};
    }
    static model::Command create(const std::string& id = "create") {
        return command(id, model::CreateShadow{.shadow = {.shadow = ShadowId("s1"),
                                                          .group = GroupId("shop"),
                                                          .scale = 0.5,
                                                          .arms = {ArmId("control"), ArmId("treated")}}});
    }
    static model::Command destroy() { return command("destroy", model::DestroyShadow{.shadow = ShadowId("s1")}); }

    NewsBox news;
    std::vector<VmId> let_go;  ///< VMs of which a shadow has gone
    effects::Engine engine;

 private:
    Host& host_;

 public:
    journal::Journal journal;
    effects::IoTuneChange iotune;
    effects::PartitionFault partition;
    effects::Catalogue catalogue{iotune, partition};
    EffectsFlow effects;
    WatchFlow watch;
    ArmBuilder builder;
    ShadowBook book;
    ShadowFlow shadows;
};

}  // namespace penumbra::agent
