#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/driver.hpp"
#include "agent/flows.hpp"
#include "agent/store/command_store.hpp"
#include "effects/holds/backup_job.hpp"
#include "effects/holds/mirror_port.hpp"
#include "hypervisor/fake/fake_replica_target.hpp"
#include "proto/codec/codec.hpp"
#include "proto/model/resource.hpp"
#include "systemd/fake/fake_unit_control.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/agent/host_on_fakes.hpp"
#include "tests/unit/agent/inline_lane.hpp"

namespace penumbra::agent {

/// A host with everything an agent needs, in memory; what is in it outlives every agent.
struct WholeHost : Host {
    testing::TemporaryDirectory run;
    const std::filesystem::path scratch = run.path() / "scratch";
    std::function<void()> at_look;  ///< happens whenever an agent looks at the scratch disk
    DiskRoom scratch_disk{.folder = scratch, .size = Bytes(1ULL << 40U), .available = Bytes(1ULL << 40U)};
    hypervisor::fake::FakeReplicaTarget target;
    std::function<void()> during_copy;  ///< called wherever a copy waits or looks around
    HostSight sight;
    std::size_t replicas_removed = 0;
    journal::fake::MemoryDirectory commands_disk{points};
    systemd::fake::FakeUnitControl units{
        clock, [](const std::vector<std::string>&) { return systemd::fake::FakeUnitControl::Outcome::kDone; }};
    WholeHost() {
        std::filesystem::create_directory(scratch);
        units.add_units("penumbra-capture@", true);
        units.add_units("penumbra-sandbox@", true);
    }
};

/// One life of an agent: core, driver and every flow, on the test's thread and in the test's time, with a coordinator
/// that welcomes it and acknowledges whatever it says.
class WholeAgent {
 public:
    explicit WholeAgent(WholeHost& host)
        : host_(host),
          loop_(take(EventLoop::create())),
          lane_(*loop_),
          store_(host.commands_disk),
          journal_(host.effects_disk),
          engine_({.journal = journal_,
                   .dead_man = host.dead_man,
                   .clock = host.clock,
                   .catalogue = catalogue_,
                   .boot_id = "boot-1"}) {
        const auto tell = [this](News news) { news_.push_back(std::move(news)); };
        flows_ = std::make_unique<Flows>(Flows::Lanes{lane_, lane_, lane_, lane_, lane_, lane_, lane_}, ports(),
                                         places(), tell);
        driver_ = std::make_unique<Driver>(
            Driver::Parts{.clock = host.clock,
                          .send =
                              [this](std::string_view bytes) {
                                  sent_.push_back(take(codec::decode(bytes)));
                                  return Result<void>();
                              },
                          .reconnect = [] { return Result<void>(); },
                          .record =
                              [this, tell](std::uint64_t number, const JournalRecord& record) {
                                  take_void(store_.record(record));
                                  tell(Event(Journalled{number}));
                              },
                          .execute = [this](const model::Command& command) { later_.emplace_back(command, false); },
                          .recover = [this](const model::Command& command) { later_.emplace_back(command, true); },
                          .release = [this](const model::Vantage& vantage,
                                            std::uint64_t up_to) { flows_->release(vantage, up_to); }},
            Identity{.host = HostId("hv1"), .agent_version = "1", .boot_id = "boot-1", .instance = "i"},
            take(store_.load()));
        set_policy({.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}, .may_run_shadows = true});
        flows_->start();
        pump();
    }

    /// What root's file says from now on, though the agent has not looked at it yet.
    void write_policy(Result<model::Policy> policy) { policy_ = std::move(policy); }
    void set_policy(const model::Policy& policy) {
        write_policy(policy);
        flows_->set_policy(policy);
        driver_->happen(PolicyRead{policy});
        pump();
    }
    /// As systemd ends it.
    void stop() { flows_->stop(); }

    void pass(std::chrono::seconds time) {
        for (; time.count() > 0; time -= std::chrono::seconds(1)) {
            host_.clock.advance(std::chrono::seconds(1));
            ASSERT(loop_->turn(std::chrono::nanoseconds(0)).has_value());
            lane_.pass(std::chrono::seconds(1));
            driver_->tell_health(std::chrono::milliseconds(0));
            if (driver_->next_wake() <= host_.clock.now()) driver_->happen(Tick{});
            pump();
        }
    }
    /// Orders it and waits in the host's time for its end.
    model::CommandReport order(model::Operation operation, std::chrono::seconds longest = std::chrono::seconds(30)) {
        const CommandId id("c" + std::to_string(++commands_));
        return order(id, std::move(operation), longest);
    }
    model::CommandReport order(const CommandId& id, model::Operation operation, std::chrono::seconds longest) {
        while (!session_.has_value())
            pass(std::chrono::seconds(1));
        give(id, std::move(operation));
        return end_of(id, longest);
    }
    /// Orders it and does not wait.
    void give(const CommandId& id, model::Operation operation) {
        const bool whole = std::holds_alternative<model::CleanHost>(operation);
        receive(model::Command{.id = id,
                               .epoch = Epoch(1),
                               .resource = whole ? model::whole_host(HostId("hv1")) : ResourceId("vm:shop"),
                               .fence = Fence(++host_fence()),
                               .time_to_accept = std::chrono::seconds(30),
                               .operation = std::move(operation)});
    }
    /// How a command ended, of this life or one before.
    model::CommandReport end_of(const CommandId& id, std::chrono::seconds longest) {
        for (; longest.count() > 0 && !ended_.contains(id); longest -= std::chrono::seconds(1))
            pass(std::chrono::seconds(1));
        return ended_.contains(id) ? ended_.at(id) : model::CommandReport{.command = id};
    }
    [[nodiscard]] const std::vector<model::KpiWindow>& windows() const { return windows_; }
    [[nodiscard]] const std::vector<model::ShadowStatus>& shadows() const { return shadows_; }
    [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }
    [[nodiscard]] const model::HostFacts& facts() const { return facts_; }
    [[nodiscard]] const std::vector<std::string>& hints() const { return hints_; }
    [[nodiscard]] EventLoop& loop() { return *loop_; }

    static std::uint64_t& host_fence() {
        static std::uint64_t fence = 0;
        return fence;
    }

 private:
    template <class T>
    static T take(Result<T> result) {
        EXPECT_TRUE(testing::is_ok(result));
        return std::move(*result);
    }
    static void take_void(const Result<void>& result) { EXPECT_TRUE(testing::is_ok(result)); }

    Flows::Ports ports() {
        return {.inventory = host_.hypervisor,
                .backup = host_.hypervisor,
                .domains = host_.hypervisor,
                .tuning = host_.hypervisor,
                .sources = host_.hypervisor,
                .target = host_.target,
                .storage = host_.storage,
                .shadows_switch = host_.control,
                .shadows_links = host_.links,
                .watch_switch = host_.control,
                .watch_links = host_.links,
                .shadows_units = host_.units,
                .captures_units = host_.units,
                .engine = engine_,
                .desk = desk_,
                .shadow_records = host_.shadows_disk,
                .clock = host_.clock,
                .look_around = [this] { return host_.sight; },
                .drafting = plain_drafting(),
                .answers = [this](const std::string&, const std::string&) { return Result<bool>(host_.serves); },
                .probe = [](const netisolate::IsolationPlan&) -> Result<model::IsolationReport> {
                    return model::IsolationReport{.corpus_frames = 540, .positive_control_seen = 540};
                },
                .scratch_room =
                    [this] {
                        if (host_.during_copy) host_.during_copy();
                        if (host_.at_look) host_.at_look();
                        return Result<DiskRoom>(host_.scratch_disk);
                    },
                .pause =
                    [this](std::chrono::nanoseconds time, const std::stop_token&) {
                        host_.clock.advance(time);
                        if (host_.during_copy) host_.during_copy();
                    },
                .new_key = [] { return Result<std::string>("000102030405060708090a0b0c0d0e0f"); },
                .remove_replicas = [this] { return remove_replicas(); },
                .policy = [this] { return policy_; }};
    }
    Result<void> remove_replicas() {
        ++host_.replicas_removed;
        std::vector<hypervisor::ReplicaManifest> generations = TRY(host_.target.state(kShop)).generations;
        for (; !generations.empty(); generations.pop_back())
            TRY(host_.target.remove(kShop, generations.back().generation));
        return {};
    }
    Flows::Places places() {
        return {.run_folder = host_.run.path(),
                .space_folder = "/run/penumbra/netns",
                .addresses = {{"shop", {.servers = {"10.20.0.10:80"}, .gateways = {"10.20.0.1/24"}}}}};
    }
    void receive(model::Body body) {
        driver_->receive(take(codec::encode(model::Envelope{.session = *session_, .body = std::move(body)})));
        pump();
    }
    void pump() {
        while (!news_.empty() || !later_.empty() || !sent_.empty()) {
            if (!news_.empty()) {
                News news = std::move(news_.front());
                news_.pop_front();
                driver_->hear(std::move(news));
            } else if (!later_.empty()) {
                const auto [command, again] = later_.front();
                later_.pop_front();
                again ? flows_->recover(command) : flows_->execute(command);
            } else {
                const model::Envelope envelope = std::move(sent_.front());
                sent_.pop_front();
                answer(envelope);
            }
        }
    }
    void answer(const model::Envelope& envelope) {
        if (const auto* hello = std::get_if<model::Hello>(&envelope.body)) {
            session_ = model::SessionId{.epoch = Epoch(1), .counter = ++sessions_};
            driver_->receive(
                take(codec::encode(model::Envelope{.session = *session_,
                                                   .body = model::Welcome{.session = *session_,
                                                                          .answers = envelope.sequence,
                                                                          .heartbeat_interval = std::chrono::seconds(5),
                                                                          .reconnect_spread = std::chrono::seconds(5),
                                                                          .credit = 8}})));
            for (const model::CommandReport& report : hello->commands)
                heard(report);
        }
        if (const auto* beat = std::get_if<model::Heartbeat>(&envelope.body)) {
            troubles_ = beat->troubles;
            hints_ = beat->hints;
            say(model::HeartbeatAck{.echo_ms = beat->sent_ms, .state_seen = beat->state_version});
        }
        if (const auto* report = std::get_if<model::CommandReport>(&envelope.body)) heard(*report);
        if (const auto* facts = std::get_if<model::FactsReport>(&envelope.body)) facts_ = facts->facts;
        if (const auto* shadows = std::get_if<model::ShadowReport>(&envelope.body)) shadows_ = shadows->shadows;
        if (const auto* kpi = std::get_if<model::KpiReport>(&envelope.body)) {
            model::KpiAck ack;
            for (const model::KpiWindow& window : kpi->windows) {
                windows_.push_back(window);
                ack.committed_up_to.emplace_back(window.vantage, window.sequence);
            }
            say(std::move(ack));
        }
    }
    void heard(const model::CommandReport& report) {
        if (!model::is_final(report.state)) return;
        ended_[report.command] = report;
        say(model::ResultAck{report.command});
    }
    void say(model::Body body) {
        driver_->receive(take(codec::encode(model::Envelope{.session = *session_, .body = std::move(body)})));
    }

    WholeHost& host_;
    std::unique_ptr<EventLoop> loop_;
    InlineLane lane_;
    CommandStore store_;
    Result<model::Policy> policy_ = model::Policy();
    journal::Journal journal_;
    BackupDesk desk_{host_.hypervisor, host_.scratch};
    effects::IoTuneChange iotune_{host_.hypervisor};
    effects::PartitionFault partition_{host_.control};
    effects::BackupJobHold backup_{host_.hypervisor, "/run/backup",
                                   [this](const model::EffectSpec& hold, const std::filesystem::path& socket) {
                                       return desk_.begin(hold, socket);
                                   }};
    effects::MirrorPortHold mirror_{host_.control, host_.links};
    effects::Catalogue catalogue_{iotune_, partition_, backup_, mirror_};
    effects::Engine engine_;
    std::deque<News> news_;
    std::deque<std::pair<model::Command, bool>> later_;
    std::deque<model::Envelope> sent_;
    std::optional<model::SessionId> session_;
    std::map<CommandId, model::CommandReport> ended_;
    std::vector<model::KpiWindow> windows_;
    std::vector<model::ShadowStatus> shadows_;
    model::HostFacts facts_;
    std::vector<std::string> troubles_;
    std::vector<std::string> hints_;
    std::uint64_t sessions_ = 0;
    std::uint64_t commands_ = 0;
    std::unique_ptr<Flows> flows_;
    std::unique_ptr<Driver> driver_;
};

}  // namespace penumbra::agent
