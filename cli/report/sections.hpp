#pragma once

#include <string>
#include <vector>

#include "cli/report/report_facts.hpp"
#include "cli/report/svg_chart.hpp"

/// The sections of report.html, a file a section. Each is "" or begins with its heading. Pure.
namespace penumbra::cli {

[[nodiscard]] std::string timeline_section(const ReportFacts& facts);
[[nodiscard]] std::string rollout_section(const ReportFacts& facts);
[[nodiscard]] std::string trial_section(const ReportFacts& facts);
/// What cloning cost production: a sentence and a picture for each of the latest clonings.
[[nodiscard]] std::string cloning_section(const ReportFacts& facts);
/// Production and the arms, a picture a KPI.
[[nodiscard]] std::string kpi_section(const ReportFacts& facts);
[[nodiscard]] std::string forecast_section(const ReportFacts& facts);
[[nodiscard]] std::string isolation_section(const ReportFacts& facts);
[[nodiscard]] std::string replica_section(const ReportFacts& facts);

/// The trials that ended, each with its verdict.
[[nodiscard]] std::vector<ChartSpan> trial_spans(const ReportFacts& facts);

}  // namespace penumbra::cli
