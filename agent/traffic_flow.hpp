#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "agent/kpi_flow.hpp"
#include "agent/news.hpp"
#include "agent/observe_flow.hpp"
#include "agent/shadow_flow.hpp"
#include "base/clock.hpp"
#include "systemd/unit_control.hpp"

namespace penumbra::agent {

/// Replay of a group's traffic to its shadow: its capture, which the observing flow hands over, and one
/// penumbra-sandbox@SHADOW:ARM an arm. On the shadow flow's lane; blocks.
class TrafficFlow {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        ShadowFlow& shadows;
        systemd::UnitControl& units;
        Captures& captures;
        KpiReaders& readers;
        const Clock& clock;
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
    /// Once a second: sees whether the processes live.
    void tick();
    /// Nothing of the shadow's replay is left. One that does not run is a success.
    [[nodiscard]] Result<void> end(ShadowRecord& record);

 private:
    [[nodiscard]] Result<void> begin(const model::StartReplay& order);
    [[nodiscard]] Result<void> bring_up(const ShadowRecord& record);
    [[nodiscard]] Result<void> bring_down(const ShadowRecord& record);
    [[nodiscard]] Result<void> change_rates(const ShadowRecord& record);
    [[nodiscard]] Result<void> start_sandbox(const ShadowRecord& record, const ArmId& arm,
                                             const std::vector<std::string>& servers);
    [[nodiscard]] std::filesystem::path sandbox_folder(const ShadowId& shadow, const ArmId& arm) const;
    void look_at(const ShadowRecord& record, std::vector<std::string>& troubles);

    Parts parts_;
    std::vector<std::string> start_troubles_;
};

}  // namespace penumbra::agent
