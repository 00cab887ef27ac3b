#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "agent/arm_builder.hpp"
#include "agent/clean_flow.hpp"
#include "agent/effects_flow.hpp"
#include "agent/inventory_flow.hpp"
#include "agent/kpi_flow.hpp"
#include "agent/lane.hpp"
#include "agent/news.hpp"
#include "agent/observe_flow.hpp"
#include "agent/probe_flow.hpp"
#include "agent/replicate_flow.hpp"
#include "agent/shadow_flow.hpp"
#include "agent/store/shadow_book.hpp"
#include "agent/traffic_flow.hpp"
#include "agent/watch_flow.hpp"

namespace penumbra::agent {

/// The agent's workers, each on its lane, and who may call whom: shadows (with traffic and clean), captures and
/// replicate call effects; shadows calls captures, watch, kpi and, for clean, replicate; captures calls kpi; inventory
/// and watch only post, and so does replicate to shadows.
/// Lanes end in the order replicate, shadows, inventory, captures, watch, kpi, effects, before this goes. Thread-safe
/// where it says so, else the main loop's.
class Flows {
 public:
    struct Lanes {  ///< borrowed
        Lane& inventory;
        Lane& replicate;
        Lane& shadows;
        Lane& captures;
        Lane& watch;
        Lane& kpi;
        Lane& effects;
    };
    /// Where adapters are thread-bound there is one a lane.
    struct Ports {  ///< borrowed
        hypervisor::VmInventory& inventory;
        hypervisor::BackupControl& backup;
        hypervisor::ShadowDomains& domains;
        hypervisor::DomainTuning& tuning;
        hypervisor::BlockSources& sources;
        hypervisor::ReplicaTarget& target;
        ArmStorage& storage;
        netisolate::SwitchControl& shadows_switch;
        netisolate::LinkControl& shadows_links;
        netisolate::SwitchControl& watch_switch;
        netisolate::LinkControl& watch_links;
        systemd::UnitControl& shadows_units;
        systemd::UnitControl& captures_units;
        effects::Engine& engine;
        BackupDesk& desk;
        journal::Directory& shadow_records;
        const Clock& clock;
        std::function<HostSight()> look_around;  ///< called on the inventory's lane
        Drafting drafting;
        ShadowFlow::Answers answers;
        ProbeFlow::Probe probe;
        std::function<Result<DiskRoom>()> scratch_room;
        Pause pause;
        std::function<Result<std::string>()> new_key;
        std::function<Result<void>()> remove_replicas;
        std::function<Result<model::Policy>()> policy;  ///< root's, as it stands now; asked on the effects' lane
    };
    struct Places {
        std::filesystem::path run_folder;
        std::filesystem::path space_folder;
        ServiceAddresses addresses;
    };
    Flows(const Lanes& lanes, const Ports& ports, const Places& places, Tell tell);

    /// Undoes and takes up what an earlier life left, then begins to watch. Before any order.
    void start();
    /// For what looks on by itself; an effect asks Ports::policy.
    void set_policy(const model::Policy& policy);
    void execute(const model::Command& command);
    void recover(const model::Command& command);
    void release(const model::Vantage& vantage, std::uint64_t up_to);
    /// A copy under way ends soon, and what only observes production is taken away; the lanes can then be ended.
    void stop();

 private:
    void dispatch(const model::Command& command, bool again);
    void wake_observation();
    void on_lane(Lane& lane, const model::Command& command, std::function<void()> work);

    Lanes lanes_;
    const Clock& clock_;
    Tell tell_;
    InventoryFlow inventory_;
    EffectsFlow effects_;
    HoldsOnLane holds_;
    WatchFlow watch_;
    GuardsOnLane guards_;
    KpiFlow kpi_;
    KpiReadersOnLane readers_;
    ObserveFlow observe_;
    CapturesOnLane captures_;
    hypervisor::Replicator replicator_;
    ReplicateFlow replicate_;
    ShadowBook book_;
    ArmBuilder builder_;
    ShadowFlow shadows_;
    TrafficFlow traffic_;
    ProbeFlow probe_;
    CleanFlow clean_;
};

}  // namespace penumbra::agent
