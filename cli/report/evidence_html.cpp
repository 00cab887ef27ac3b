#include <algorithm>

#include <fmt/format.h>

#include "cli/render/text.hpp"
#include "cli/report/forecast_chart.hpp"
#include "cli/report/html.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {

using model::to_string;

std::string forecast_section(const ReportFacts& facts) {
    std::string text;
    for (const model::ForecastView& forecast : facts.forecasts) {
        const Chart chart = fan_of(forecast.metric + " of " + forecast.group.text() + ", next day", forecast.metric,
                                   forecast.quantiles, forecast.next_day);
        const std::size_t count = forecast.quantiles.size();
        text += svg_of(chart) + fmt::format("<p class='sub'>{}; past coverage:", escaped(forecast.method));
        for (std::size_t i = 0; i < std::min(count, forecast.past_coverage.size()); ++i) {
            text += fmt::format(" q{:g} {:.1f} %", forecast.quantiles[i] * 100, forecast.past_coverage[i] * 100);
        }
        text += "</p>\n";
    }
    return text.empty() ? text : "<h2>Forecast</h2>\n" + text;
}

namespace {

std::string probe_table(const std::vector<model::IsolationReport>& reports) {
    std::string rows;
    for (const model::IsolationReport& report : reports) {
        rows += "<tr>" + cell(escaped(report.arm.text())) + cell(fmt::format("{}", report.corpus_frames)) +
                cell(fmt::format("<span class='word {}'>{}</span>", report.seen_on_production == 0 ? "PASS" : "FAIL",
                                 report.seen_on_production)) +
                cell(fmt::format("{}", report.positive_control_seen)) + "</tr>\n" + row_below(4, report.reason);
    }
    return table_of({"Arm", "Hostile frames sent", "Seen on production", "Seen without isolation"}, rows);
}

std::string ledger_table(const std::vector<VantageLedger>& sums) {
    std::string rows;
    for (const VantageLedger& sum : sums) {
        const model::ReplayLedger& ledger = sum.ledger;
        rows += "<tr>" + cell(escaped(sum.vantage.arm.text())) + cell(fmt::format("{}", ledger.captured)) +
                cell(fmt::format("{}", ledger.replayed)) + cell(fmt::format("{}", ledger.captured - ledger.replayed)) +
                cell(fmt::format("capture {}, spool {}, connect {}, timeout {}, reset {}, not sent {}",
                                 ledger.lost_capture_drop, ledger.lost_spool_full, ledger.lost_connect,
                                 ledger.lost_timeout, ledger.lost_reset, ledger.lost_not_sent),
                     true) +
                "</tr>\n";
    }
    return table_of({"Arm", "Captured", "Replayed", "Lost", "Where"}, rows);
}

}  // namespace

std::string isolation_section(const ReportFacts& facts) {
    const std::string tables = probe_table(facts.isolation) + ledger_table(ledgers_of(facts.windows));
    return tables.empty() ? tables : "<h2>Isolation and replay</h2>\n" + tables;
}

std::string replica_section(const ReportFacts& facts) {
    std::string rows;
    for (const model::GroupView& group : facts.groups) {
        for (const model::Generation& generation : group.generations) {
            for (const model::VolumeGeneration& volume : generation.volumes) {
                rows += "<tr>" + cell(escaped(group.group.text()), true) + cell(fmt::format("{}", generation.number)) +
                        cell(escaped(to_string(generation.kind))) + cell(escaped(to_string(generation.consistency))) +
                        cell(escaped(volume.disk)) + cell(bytes_text(volume.bytes_read.count())) +
                        cell(bytes_text(volume.bytes_sent.count())) + hash_cell(volume.root_source) +
                        hash_cell(volume.root_target) + "</tr>\n";
            }
        }
    }
    const std::string table = table_of(
        {"Group", "Generation", "Kind", "Cut", "Disk", "Read", "Sent", "Root at source", "Root at target"}, rows);
    return table.empty() ? table : "<h2>Replica</h2>\n" + table;
}

}  // namespace penumbra::cli
