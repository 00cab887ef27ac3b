#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/holds.hpp"
#include "agent/kpi_flow.hpp"
#include "agent/news.hpp"
#include "agent/shadow_flow.hpp"
#include "base/clock.hpp"
#include "hypervisor/ports.hpp"
#include "netisolate/ports.hpp"
#include "systemd/unit_control.hpp"

namespace penumbra::agent {

/// Mirror, capture and replay of a shadow's group: a hold on production's bridge, one penumbra-capture@GROUP and one
/// penumbra-sandbox@SHADOW:ARM an arm. On the shadow flow's lane; blocks.
class TrafficFlow {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        ShadowFlow& shadows;
        hypervisor::VmInventory& inventory;
        netisolate::SwitchControl& control;
        systemd::UnitControl& units;
        Holds& holds;
        KpiReaders& readers;
        const Clock& clock;
        ServiceAddresses addresses;
        std::filesystem::path run_folder;              ///< "/run/penumbra": environment files and sockets
        std::filesystem::path space_folder;            ///< "/run/penumbra/netns"
        std::function<Result<std::string>()> new_key;  ///< 32 hex digits for a sampler
        Tell tell;
    };
    explicit TrafficFlow(Parts parts) : parts_(std::move(parts)) {}

    /// Once, after the shadow flow's start(): replays that were under way are taken up again.
    void start();
    /// StartReplay, StopReplay. Starting one that runs changes its rates, and adds arms.
    void execute(const model::Command& command);
    /// Once a second: keeps mirrors' leases, sees whether the processes live.
    void tick();
    /// Nothing of the shadow's replay is left. One that does not run is a success.
    [[nodiscard]] Result<void> end(ShadowRecord& record);

 private:
    struct Mirror {
        EffectId hold;
        Instant prolong_at{};
    };
    /// What a group's capture is told.
    struct Feed {
        model::VmFacts vm;
        ServiceAddress address;
        std::string interface;
        std::filesystem::path space;
    };
    [[nodiscard]] Result<void> begin(const model::StartReplay& order);
    [[nodiscard]] Result<void> bring_up(const ShadowRecord& record);
    [[nodiscard]] Result<void> bring_down(const ShadowRecord& record);
    [[nodiscard]] Result<void> change_rates(const ShadowRecord& record);
    [[nodiscard]] Result<Feed> feed_of(const ShadowRecord& record);
    [[nodiscard]] Result<void> mirror(const ShadowRecord& record, Feed& feed);
    [[nodiscard]] Result<void> start_capture(const ShadowRecord& record, const Feed& feed);
    [[nodiscard]] Result<void> start_sandbox(const ShadowRecord& record, const ArmId& arm, const Feed& feed);
    [[nodiscard]] std::filesystem::path capture_folder(const GroupId& group) const;
    [[nodiscard]] std::filesystem::path sandbox_folder(const ShadowId& shadow, const ArmId& arm) const;
    void look_at(const ShadowRecord& record, std::vector<std::string>& troubles);

    Parts parts_;
    std::map<GroupId, Mirror> mirrors_;
    std::vector<std::string> start_troubles_;
};

}  // namespace penumbra::agent
