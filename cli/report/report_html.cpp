#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "cli/render/text.hpp"
#include "cli/report/forecast_chart.hpp"
#include "cli/report/report_facts.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

using model::to_string;

namespace {

constexpr std::string_view kStyle = R"css(
:root{--ink:#1c2330;--dim:#5b6575;--paper:#fbfbf9;--card:#fff;--rule:#e3e5e8;--production:#3b4252;--control:#2f7ebb;
--treated:#d9722c;--pass:#2e8b57;--fail:#c0392b;--open:#b8860b;--band:#2f7ebb}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--dim:#9aa4b2;--paper:#15181d;--card:#1c2027;--rule:#2c323b;
--production:#c8d0dc;--control:#6db3e8;--treated:#f0985c;--pass:#5fc08b;--fail:#e8776a;--open:#e0b64c;--band:#6db3e8}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:32px 20px 80px}h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:40px 0 8px;
border-bottom:1px solid var(--rule);padding-bottom:4px}.sub{color:var(--dim);margin:0 0 16px}
section.card{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 16px;margin:12px 0}
table{border-collapse:collapse;width:100%;font-size:13px;display:block;overflow-x:auto}th{text-align:left;color:var(--dim);font-weight:600}
td,th{padding:4px 12px 4px 0;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}td.text{white-space:normal;min-width:220px}
.word{font-weight:700}.PASS,.SUCCEEDED{color:var(--pass)}.FAIL,.REJECTED,.ROLLBACK_FAILED{color:var(--fail)}
.INCONCLUSIVE,.INVALID,.ABORTED,.ROLLED_BACK{color:var(--open)}code{font:12px ui-monospace,monospace}
figure{margin:12px 0}svg{width:100%;height:auto}.title{font-size:13px;font-weight:600;fill:var(--ink)}.tick,.row{font-size:11px;fill:var(--dim)}
.row{fill:var(--ink)}.grid{stroke:var(--rule)}.line{fill:none;stroke-width:1.6}.line.production{stroke:var(--production)}
.line.control{stroke:var(--control)}.line.treated{stroke:var(--treated)}.line.median{stroke:var(--band)}
.band{fill:var(--band);fill-opacity:.16}.span{fill:var(--dim);fill-opacity:.12}.span.PASS,.span.SUCCEEDED{fill:var(--pass);fill-opacity:.18}
.span.FAIL,.span.REJECTED{fill:var(--fail);fill-opacity:.18}.span.ROLLED_BACK,.span.INCONCLUSIVE,.span.INVALID{fill:var(--open);fill-opacity:.18}
.label{font-size:10px;fill:var(--dim)}
.legend{font-size:12px;color:var(--dim);margin:0}.key{display:inline-block;width:18px;height:3px;vertical-align:middle;margin-right:4px}
.key.production{background:var(--production)}.key.control{background:var(--control)}.key.treated{background:var(--treated)}
.key.median,.key.band{background:var(--band)}.key.band{height:10px;opacity:.3}
)css";

std::string word(std::string_view text) {
    return fmt::format("<span class='word {0}'>{0}</span>", escaped(text));
}

std::string cell(std::string_view html, bool is_text = false) {
    return fmt::format("<td{}>{}</td>", is_text ? " class='text'" : "", html);
}

std::string heading_row(std::initializer_list<std::string_view> names) {
    std::string row = "<tr>";
    for (const std::string_view name : names)
        row += fmt::format("<th>{}</th>", name);
    return row + "</tr>\n";
}

std::string hash_cell(const std::string& hash) {
    return cell(hash.empty() ? "-"
                             : fmt::format("<code title='{0}'>{1}</code>", escaped(hash), escaped(hash.substr(0, 16))));
}

double mean_ms(const model::KpiWindow& window) {
    double sum = 0;
    std::uint64_t count = 0;
    for (const model::HistogramBucket& bucket : window.response_time) {
        sum += static_cast<double>(bucket.value_us) * static_cast<double>(bucket.count);
        count += bucket.count;
    }
    return count == 0 ? 0 : sum / static_cast<double>(count) / 1000;
}

double seconds_of(const model::KpiWindow& window) {
    return std::max(0.001, std::chrono::duration<double>(window.length).count());
}

std::string vantage_name(const model::Vantage& vantage) {
    return vantage.arm.empty() ? "production" : vantage.arm.text();
}

std::vector<ChartLine> lines_of(const std::vector<model::KpiWindow>& windows,
                                const std::function<double(const model::KpiWindow&)>& value) {
    std::vector<ChartLine> lines;
    for (const model::KpiWindow& window : windows) {
        const std::string name = vantage_name(window.vantage);
        auto line = std::ranges::find(lines, name, &ChartLine::name);
        if (line == lines.end()) line = lines.insert(lines.end(), {.name = name, .css_class = name, .points = {}});
        line->points.push_back({.at = window.begin, .value = value(window)});
    }
    return lines;
}

std::string kpi_section(const ReportFacts& facts, const std::vector<ChartSpan>& spans) {
    std::string text = "<h2>What production and the arms did</h2>\n";
    text += svg_of(Chart{.title = "Response time, mean of each window",
                         .unit = "ms",
                         .scale = Scale::kLogarithmic,
                         .lines = lines_of(facts.windows, mean_ms),
                         .bands = {},
                         .spans = spans});
    text += svg_of(Chart{.title = "Requests",
                         .unit = "requests/s",
                         .lines = lines_of(facts.windows,
                                           [](const model::KpiWindow& window) {
                                               return static_cast<double>(window.requests) / seconds_of(window);
                                           }),
                         .bands = {},
                         .spans = spans});
    text += svg_of(
        Chart{.title = "Processor of the guest",
              .unit = "cores",
              .lines = lines_of(facts.windows, [](const model::KpiWindow& window) { return window.guest_cpu_share; }),
              .bands = {},
              .spans = spans});
    return text;
}

std::string evidence_table(const model::Verdict& verdict) {
    if (verdict.evidence.empty()) return {};
    std::string text = "<table>" + heading_row({"KPI", "Verdict", "n", "Effective n", "Effect", "Interval", "p",
                                                "Power", "Margin", "Reason"});
    for (const model::KpiEvidence& kpi : verdict.evidence) {
        text += "<tr>" + cell(escaped(kpi.kpi)) + cell(word(to_string(kpi.verdict))) + cell(fmt::format("{}", kpi.n)) +
                cell(fmt::format("{:.1f}", kpi.effective_n)) + cell(effect_text(kpi.effect)) +
                cell(fmt::format("{} to {}", effect_text(kpi.interval.low), effect_text(kpi.interval.high))) +
                cell(fmt::format("{:.4f}", kpi.p_value)) + cell(fmt::format("{:.2f}", kpi.power)) +
                cell(effect_text(kpi.margin)) + cell(escaped(kpi.reason), true) + "</tr>\n";
    }
    return text + "</table>\n";
}

std::string trial_section(const std::vector<model::TrialStatus>& trials) {
    std::string text = "<h2>Trials</h2>\n";
    for (const model::TrialStatus& trial : trials) {
        const std::string state(trial.verdict ? to_string(trial.verdict->kind) : to_string(trial.state));
        text +=
            fmt::format("<section class='card'><b>{}</b> ({}) on shadow {}: {}<p class='sub'>{}</p>",
                        escaped(trial.spec.trial.text()), to_string(trial.spec.kind), escaped(trial.spec.shadow.text()),
                        word(state), escaped(trial.verdict ? trial.verdict->reason : trial.reason));
        if (trial.verdict) text += evidence_table(*trial.verdict);
        for (const model::LoadStep& step : trial.load) {
            text += fmt::format("<p>load x{:.2f}: {} {}</p>", step.multiple, word(to_string(step.verdict.kind)),
                                escaped(step.verdict.reason));
        }
        text += "</section>\n";
    }
    return text;
}

std::string rollout_section(const std::vector<model::RolloutStatus>& rollouts) {
    std::string text = "<h2>Rollouts</h2>\n<table>" +
                       heading_row({"Rollout", "Change", "Outcome", "VM", "Before", "After", "Final", "Reason"});
    for (const model::RolloutStatus& rollout : rollouts) {
        const std::string state(rollout.outcome ? to_string(*rollout.outcome) : to_string(rollout.state));
        const std::string begin = "<tr>" + cell(escaped(rollout.spec.rollout.text())) +
                                  cell(escaped(model::kind_of(rollout.spec.change))) + cell(word(state));
        for (const model::RolloutTarget& target : rollout.targets) {
            text += begin + cell(escaped(target.vm.text())) + hash_cell(target.before_hash) +
                    hash_cell(target.after_hash) + hash_cell(target.final_hash) +
                    cell(escaped(target.reason.empty() ? rollout.reason : target.reason), true) + "</tr>\n";
        }
        if (rollout.targets.empty()) {
            text +=
                begin + cell("-") + cell("-") + cell("-") + cell("-") + cell(escaped(rollout.reason), true) + "</tr>\n";
        }
    }
    return text + "</table>\n";
}

std::string replica_section(const std::vector<model::GroupView>& groups) {
    std::string text = "<h2>Replica</h2>\n<table>" + heading_row({"Group", "Generation", "Kind", "Cut", "Disk", "Read",
                                                                  "Sent", "Root at source", "Root at target"});
    for (const model::GroupView& group : groups) {
        for (const model::Generation& generation : group.generations) {
            for (const model::VolumeGeneration& volume : generation.volumes) {
                text += "<tr>" + cell(escaped(group.group.text())) + cell(fmt::format("{}", generation.number)) +
                        cell(escaped(to_string(generation.kind))) + cell(escaped(to_string(generation.consistency))) +
                        cell(escaped(volume.disk)) + cell(bytes_text(volume.bytes_read.count())) +
                        cell(bytes_text(volume.bytes_sent.count())) + hash_cell(volume.root_source) +
                        hash_cell(volume.root_target) + "</tr>\n";
            }
        }
    }
    return text + "</table>\n";
}

std::string isolation_section(const ReportFacts& facts) {
    std::string text =
        "<h2>Isolation and replay</h2>\n<table>" +
        heading_row({"Arm", "Hostile frames sent", "Seen on production", "Seen without isolation", "Reason"});
    for (const model::IsolationReport& report : facts.isolation) {
        text += "<tr>" + cell(escaped(report.arm.text())) + cell(fmt::format("{}", report.corpus_frames)) +
                cell(fmt::format("<span class='word {}'>{}</span>", report.seen_on_production == 0 ? "PASS" : "FAIL",
                                 report.seen_on_production)) +
                cell(fmt::format("{}", report.positive_control_seen)) + cell(escaped(report.reason), true) + "</tr>\n";
    }
    text += "</table><table>" + heading_row({"Arm", "Captured", "Replayed", "Lost", "Where"});
    for (const VantageLedger& sum : ledgers_of(facts.windows)) {
        const model::ReplayLedger& ledger = sum.ledger;
        text += "<tr>" + cell(escaped(sum.vantage.arm.text())) + cell(fmt::format("{}", ledger.captured)) +
                cell(fmt::format("{}", ledger.replayed)) + cell(fmt::format("{}", ledger.captured - ledger.replayed)) +
                cell(fmt::format("capture {}, spool {}, connect {}, timeout {}, reset {}, not sent {}",
                                 ledger.lost_capture_drop, ledger.lost_spool_full, ledger.lost_connect,
                                 ledger.lost_timeout, ledger.lost_reset, ledger.lost_not_sent)) +
                "</tr>\n";
    }
    return text + "</table>\n";
}

std::string forecast_section(const std::vector<model::ForecastView>& forecasts) {
    std::string text = "<h2>Forecast</h2>\n";
    for (const model::ForecastView& forecast : forecasts) {
        const Chart chart = fan_of(forecast.metric + " of " + forecast.group.text() + ", next day", forecast.metric,
                                   forecast.quantiles, forecast.next_day);
        const std::size_t count = forecast.quantiles.size();
        text += svg_of(chart) + fmt::format("<p class='sub'>{}; past coverage:", escaped(forecast.method));
        for (std::size_t i = 0; i < std::min(count, forecast.past_coverage.size()); ++i) {
            text += fmt::format(" q{:g} {:.1f} %", forecast.quantiles[i] * 100, forecast.past_coverage[i] * 100);
        }
        text += "</p>\n";
    }
    return text;
}

std::vector<ChartSpan> trial_spans(const std::vector<model::TrialStatus>& trials) {
    std::vector<ChartSpan> spans;
    for (const model::TrialStatus& trial : trials) {
        if (trial.begun == WallTime{} || trial.ended == WallTime{}) continue;
        const std::string word(trial.verdict ? to_string(trial.verdict->kind) : "");
        spans.push_back(
            {.name = trial.spec.trial.text(), .word = word, .css_class = word, .from = trial.begun, .to = trial.ended});
    }
    return spans;
}

std::string timeline_section(const ReportFacts& facts) {
    std::vector<TimelineRow> rows;
    for (const ChartSpan& span : trial_spans(facts.trials))
        rows.push_back({.name = span.name, .spans = {span}});
    for (const model::RolloutStatus& rollout : facts.rollouts) {
        if (rollout.begun == WallTime{} || rollout.ended == WallTime{}) continue;
        const std::string word(rollout.outcome ? to_string(*rollout.outcome) : "");
        rows.push_back({.name = "rollout " + rollout.spec.rollout.text(),
                        .spans = {{.name = rollout.spec.rollout.text(),
                                   .word = word,
                                   .css_class = word,
                                   .from = rollout.begun,
                                   .to = rollout.ended}}});
    }
    return rows.empty() ? std::string() : "<h2>Timeline</h2>\n" + svg_of(rows);
}

}  // namespace

std::string report_html(const ReportFacts& facts) {
    std::string title = "penumbra report";
    if (!facts.groups.empty()) title = "penumbra: " + facts.groups.front().group.text();
    std::string text = fmt::format(
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' "
        "content='width=device-width,initial-scale=1'><title>{0}</title><style>{1}</style></head>\n"
        "<body><main><h1>{0}</h1><p class='sub'>made {2} by penumbra {3}, from the coordinator's store alone; times "
        "are "
        "UTC</p>\n",
        escaped(title), kStyle, iso_time(facts.made), escaped(facts.version));
    text += timeline_section(facts) + rollout_section(facts.rollouts) + trial_section(facts.trials) +
            kpi_section(facts, trial_spans(facts.trials)) + forecast_section(facts.forecasts) +
            isolation_section(facts) + replica_section(facts.groups);
    return text + "</main></body></html>\n";
}

}  // namespace penumbra::cli
