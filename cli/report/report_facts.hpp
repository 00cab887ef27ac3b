#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "proto/model/api.hpp"

namespace penumbra::cli {

/// Everything a report shows, as the coordinator's store gave it. Nothing in a report comes from anywhere else.
struct ReportFacts {
    WallTime made{};
    std::string version;
    std::vector<model::HostView> hosts;
    std::vector<model::GroupView> groups;
    std::vector<model::ShadowView> shadows;
    std::vector<model::TrialStatus> trials;
    std::vector<model::RolloutStatus> rollouts;
    std::vector<model::ForecastView> forecasts;
    std::vector<model::IsolationReport> isolation;
    std::vector<model::KpiWindow> windows;         ///< of every vantage, each in order of sequence
    std::vector<model::KpiWindow> windows_before;  ///< production's, of clonings that lie before `windows`
    std::vector<model::EventView> events;
    std::vector<model::CommandView> commands;  ///< those still listed
};

/// report.json: the same shapes as `-o json`, plus the sums of the replay ledgers per arm.
[[nodiscard]] std::string report_json(const ReportFacts& facts);

/// report.html: one file without any reference outward.
[[nodiscard]] std::string report_html(const ReportFacts& facts);

/// Sum of the ledgers of one vantage's windows.
struct VantageLedger {
    model::Vantage vantage;
    model::ReplayLedger ledger;
};
/// One an arm, in order of first appearance; production has none.
[[nodiscard]] std::vector<VantageLedger> ledgers_of(const std::vector<model::KpiWindow>& windows);

}  // namespace penumbra::cli
