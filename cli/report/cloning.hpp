#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "cli/report/report_facts.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

/// One cloning of a group: replications and the shadow that was made of them, without a pause between them.
struct Cloning {
    GroupId group;
    std::vector<ChartSpan> steps;  ///< in order; each from the first moment it could run until the coordinator's event
    WallTime from{};               ///< of the first step
    WallTime to{};                 ///< the shadow stood
};

/// Those that ended with a shadow, oldest first, by the events and the commands they speak of. A command that is not
/// listed any more began at the earliest when the one before it ended, and is of the only group, if there is one. Pure.
[[nodiscard]] std::vector<Cloning> clonings_of(const ReportFacts& facts);
/// Those that have a picture, kReportCloningsMax at most, oldest first. Pure.
[[nodiscard]] std::vector<Cloning> latest_clonings(const ReportFacts& facts);

/// Production's response times over a while.
struct ServedPeriod {
    bool was_observed = false;
    std::uint64_t requests = 0;  ///< that were answered; 0: no quantiles
    double median_ms = 0;
    double p95_ms = 0;
};

/// What a cloning cost production. Times are the coordinator's, windows the host's.
struct CloningCost {
    ServedPeriod before;  ///< in the minute before
    ServedPeriod during;
    ServedPeriod after;  ///< in the minute after
};
[[nodiscard]] CloningCost cost_of(const Cloning& cloning, const std::vector<model::KpiWindow>& windows);

/// Production's windows of the report, those of clonings that lie before them too.
[[nodiscard]] std::vector<model::KpiWindow> production_windows(const ReportFacts& facts);

/// The cost, said to people. Pure.
[[nodiscard]] std::string cloning_sentence(const Cloning& cloning, const std::vector<model::KpiWindow>& windows);

}  // namespace penumbra::cli
