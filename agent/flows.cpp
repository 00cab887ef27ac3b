#include "agent/flows.hpp"

#include <set>
#include <string>
#include <utility>

#include "base/limits/flows.hpp"
#include "base/limits/network.hpp"
#include "base/log.hpp"

namespace penumbra::agent {

namespace {
std::set<std::string> names_in(const ServiceAddresses& addresses) {
    std::set<std::string> names;
    for (const auto& [name, address] : addresses)
        names.insert(name);
    return names;
}
}  // namespace

Flows::Flows(const Lanes& lanes, const Ports& ports, const Places& places, Tell tell)
    : lanes_(lanes),
      clock_(ports.clock),
      tell_(std::move(tell)),
      inventory_({.inventory = ports.inventory,
                  .look_around = ports.look_around,
                  .served = names_in(places.addresses),
                  .seen =
                      [this](const std::vector<model::VmFacts>& vms) {
                          // Not taken: the next look's are.
                          static_cast<void>(lanes_.captures.post([this, vms] { observe_.saw(vms); }));
                      },
                  .tell = tell_}),
      effects_({.engine = ports.engine,
                .inventory = ports.inventory,
                .tuning = ports.tuning,
                .policy = ports.policy,
                .clock = ports.clock,
                .tell = tell_}),
      holds_(lanes.effects, effects_),
      watch_({.control = ports.watch_switch,
              .links = ports.watch_links,
              .clock = ports.clock,
              .severed =
                  [this](const std::string& owner, const std::string& reason) {
                      return lanes_.shadows.post([this, owner, reason] { shadows_.severed(owner, reason); });
                  },
              .mirror_severed =
                  [this](const std::string& owner, const std::string& reason) {
                      return lanes_.captures.post([this, owner, reason] { observe_.mirror_severed(owner, reason); });
                  },
              .tell = tell_}),
      guards_(lanes.watch, watch_),
      kpi_({.loop = lanes.kpi.loop(), .inventory = ports.inventory, .clock = ports.clock, .tell = tell_}),
      readers_(lanes.kpi, kpi_),
      observe_({.inventory = ports.inventory,
                .capture = {.units = ports.captures_units,
                            .holds = holds_,
                            .guards = guards_,
                            .readers = readers_,
                            .clock = ports.clock,
                            .run_folder = places.run_folder,
                            .space_folder = places.space_folder},
                .addresses = places.addresses,
                .new_key = ports.new_key,
                .tell = tell_}),
      captures_(lanes.captures, observe_),
      replicator_(ports.backup, ports.sources, ports.target, ports.clock),
      replicate_(
          {.inventory = ports.inventory,
           .backup = ports.backup,
           .replicator = replicator_,
           .desk = ports.desk,
           .holds = holds_,
           .clock = ports.clock,
           .scratch_room = ports.scratch_room,
           .ask_stood_on =
               [this](const VmId& vm, std::uint64_t newest) {
                   // Neither waits for the other: shadows waits for replicate when it cleans. Not taken: the
                   // next commit asks again.
                   static_cast<void>(lanes_.shadows.post([this, vm, newest] {
                       static_cast<void>(lanes_.replicate.post(
                           [this, vm, stood_on = shadows_.stood_on(vm, newest)] { replicate_.prune(vm, stood_on); }));
                   }));
               },
           .pause = ports.pause,
           .tell = tell_}),
      book_(ports.shadow_records),
      builder_({.domains = ports.domains,
                .control = ports.shadows_switch,
                .links = ports.shadows_links,
                .storage = ports.storage,
                .guards = guards_}),
      shadows_({.inventory = ports.inventory,
                .domains = ports.domains,
                .control = ports.shadows_switch,
                .builder = builder_,
                .storage = ports.storage,
                .guards = guards_,
                .book = book_,
                .clock = ports.clock,
                .addresses = places.addresses,
                .drafting = ports.drafting,
                .answers = ports.answers,
                .arms_stand =
                    [this](std::vector<effects::SandboxedArm> arms) {
                        // Not taken: the former arms stay known there, and faults on new ones are refused.
                        static_cast<void>(
                            lanes_.effects.post([this, arms = std::move(arms)] { effects_.set_arms(arms); }));
                    },
                .end_replay = [this](ShadowRecord& record) { return traffic_.end(record); },
                .let_go =
                    [this](const VmId& vm) {
                        static_cast<void>(lanes_.replicate.post([this, vm] { replicate_.begin_pruning(vm); }));
                    },
                .tell = tell_}),
      traffic_({.shadows = shadows_,
                .units = ports.shadows_units,
                .captures = captures_,
                .readers = readers_,
                .clock = ports.clock,
                .run_folder = places.run_folder,
                .space_folder = places.space_folder,
                .new_key = ports.new_key,
                .tell = tell_}),
      probe_({.shadows = shadows_, .probe = ports.probe, .clock = ports.clock, .tell = tell_}),
      clean_({.inventory = ports.inventory,
              .backup = ports.backup,
              .end_observation = [this] { return call_on<void>(lanes_.captures, [this] { return observe_.rest(); }); },
              .remove_shadows = [this] { return shadows_.remove_everything(); },
              .lift_effects =
                  [this] {
                      return call_on<void>(lanes_.effects, [this] { return effects_.lift_all("the host is cleaned"); });
                  },
              // Its lane does one thing after the other: what was before this is over.
              .await_copies = [this] { return call_on<void>(lanes_.replicate, [] { return Result<void>(); }); },
              .checkpoint_aside =
                  [this](const VmId& vm) {
                      return call_on<std::optional<CheckpointId>>(
                          lanes_.replicate, [this, vm] { return replicator_.checkpoint_aside(vm); });
                  },
              .remove_replicas = ports.remove_replicas,
              .clock = ports.clock,
              .tell = tell_}) {}

void Flows::start() {
    using std::chrono::seconds;
    ASSERT(lanes_.effects.post([this] { effects_.start(); }));
    lanes_.effects.every(seconds(1), [this] { effects_.tick(); });
    lanes_.watch.every(limits::kIsolationAuditInterval, [this] { watch_.round(); });
    lanes_.kpi.every(seconds(1), [this] { kpi_.tick(); });
    // Before the shadows': a replay that is taken up again wants its capture.
    ASSERT(lanes_.captures.post([this] { observe_.start(); }));
    lanes_.captures.every(seconds(1), [this] { observe_.tick(); });
    ASSERT(lanes_.shadows.post([this] {
        shadows_.start();
        traffic_.start();
    }));
    lanes_.shadows.every(seconds(1), [this] {
        shadows_.tick();
        traffic_.tick();
    });
    ASSERT(lanes_.replicate.post([this] { replicate_.start(); }));
    ASSERT(lanes_.inventory.post([this] { inventory_.observe(); }));
    lanes_.inventory.every(limits::kInventoryInterval, [this] { inventory_.observe(); });
}

void Flows::stop() {
    replicate_.stop();
    const bool taken = lanes_.captures.post([this] {
        // What is left is undone when the mirror's lease ends.
        if (const Result<void> gone = observe_.rest(); !gone.has_value())
            log::error("agent.observation_not_ended", gone.error());
    });
    if (!taken) log::event(log::Level::kWarning, "agent.observation_not_ended", "its worker took no more work");
}

void Flows::set_policy(const model::Policy& policy) {
    // A policy that does not get through would leave more allowed than root allows.
    ASSERT(lanes_.captures.post([this, policy] { observe_.set_policy(policy); }));
    ASSERT(lanes_.inventory.post([this, policy] {
        inventory_.set_policy(policy);
        inventory_.observe();
    }));
}

void Flows::on_lane(Lane& lane, const model::Command& command, std::function<void()> work) {
    if (lane.post(std::move(work))) return;
    const Error error{.code = ErrorCode::kUnavailable, .message = "this agent is busy or ending: ask again later"};
    tell_(Event(WorkerReported{failed(command, error, clock_.wall())}));
}

void Flows::dispatch(const model::Command& command, bool again) {
    const auto to = [&](Lane& lane, auto& flow) {
        on_lane(lane, command, [&flow, command, again] { again ? flow.recover(command) : flow.execute(command); });
    };
    struct Route {
        decltype(to)& send;
        Flows& flows;
        const model::Command& command;
        void operator()(const model::ReplicateGroup&) const {
            flows.wake_observation();
            send(flows.lanes_.replicate, flows.replicate_);
        }
        void operator()(const model::CreateShadow&) const {
            flows.wake_observation();
            send(flows.lanes_.shadows, flows.shadows_);
        }
        void operator()(const model::DestroyShadow&) const { send(flows.lanes_.shadows, flows.shadows_); }
        // Starting, stopping and cleaning again do no more than once.
        void operator()(const model::StartReplay&) const { traffic(); }
        void operator()(const model::StopReplay&) const { traffic(); }
        void operator()(const model::CleanHost&) const {
            flows.replicate_.clean(command.fence);
            flows.on_lane(flows.lanes_.shadows, command,
                          [&flow = flows.clean_, order = command] { flow.execute(order); });
        }
        void operator()(const model::ProbeIsolation&) const {
            flows.on_lane(flows.lanes_.shadows, command,
                          [&flow = flows.probe_, order = command] { flow.execute(order); });
        }
        void operator()(const model::ApplyEffect&) const { effects(); }
        void operator()(const model::ConfirmEffect&) const { effects(); }
        void operator()(const model::RevertEffect&) const { effects(); }
        void operator()(const model::InspectVm&) const { effects(); }
        void traffic() const {
            flows.on_lane(flows.lanes_.shadows, command,
                          [&flow = flows.traffic_, order = command] { flow.execute(order); });
        }
        void effects() const { send(flows.lanes_.effects, flows.effects_); }
    };
    std::visit(Route{to, *this, command}, command.operation);
}

/// After a clean-up nothing is observed until somebody wants something of this host again.
void Flows::wake_observation() {
    // Not taken: the next order wakes it.
    static_cast<void>(lanes_.captures.post([this] { observe_.wake(); }));
}

void Flows::execute(const model::Command& command) {
    dispatch(command, false);
}

void Flows::recover(const model::Command& command) {
    dispatch(command, true);
}

void Flows::release(const model::Vantage& vantage, std::uint64_t up_to) {
    // Not taken: the window comes again, and so does its acknowledgement.
    static_cast<void>(lanes_.kpi.post([this, vantage, up_to] { kpi_.release(vantage, up_to); }));
}

}  // namespace penumbra::agent
