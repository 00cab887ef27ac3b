#include <chrono>

#include <fmt/format.h>

#include "cli/render/text.hpp"
#include "cli/report/html.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {

using model::to_string;

namespace {

std::string evidence_table(const model::Verdict& verdict) {
    std::string rows;
    for (const model::KpiEvidence& kpi : verdict.evidence) {
        rows += "<tr>" + cell(escaped(kpi.kpi), true) + cell(word(to_string(kpi.verdict))) +
                cell(fmt::format("{}", kpi.n)) + cell(fmt::format("{:.1f}", kpi.effective_n)) +
                cell(effect_text(kpi.effect)) +
                cell(fmt::format("{} to {}", effect_text(kpi.interval.low), effect_text(kpi.interval.high))) +
                cell(p_text(kpi.p_value)) + cell(fmt::format("{:.2f}", kpi.power)) + cell(effect_text(kpi.margin)) +
                "</tr>\n";
        if (kpi.reason != verdict.reason) rows += row_below(9, kpi.reason);
    }
    return table_of({"KPI", "Verdict", "n", "Effective n", "Effect", "Interval", "p", "Power", "Margin"}, rows);
}

/// What the treated arm answered in a step, by its windows; "-" where the report has none of them.
std::string answered_text(const model::TrialStatus& trial, const model::LoadStep& step,
                          const std::vector<model::KpiWindow>& windows) {
    const model::Vantage treated{.group = trial.group, .shadow = trial.spec.shadow, .arm = trial.spec.treated};
    std::uint64_t requests = 0;
    std::chrono::milliseconds length{0};
    for (const model::KpiWindow& window : windows) {
        if (window.vantage != treated || window.begin < step.span.from || window.begin >= step.span.to) continue;
        requests += window.requests;
        length += window.length;
    }
    if (length.count() <= 0) return "-";
    return fmt::format("{:.1f}", static_cast<double>(requests) / std::chrono::duration<double>(length).count());
}

std::string load_table(const model::TrialStatus& trial, const std::vector<model::KpiWindow>& windows) {
    std::string rows;
    for (const model::LoadStep& step : trial.load) {
        rows += "<tr>" + cell(fmt::format("x{:.2f}", step.multiple)) + cell(word(to_string(step.verdict.kind))) +
                cell(answered_text(trial, step, windows)) + cell(escaped(step.verdict.reason), true) + "</tr>\n";
    }
    return table_of({"Of production's rate", "Verdict", "Requests/s answered", "Reason"}, rows);
}

}  // namespace

std::string trial_section(const ReportFacts& facts) {
    std::string text;
    for (const model::TrialStatus& trial : by_begin(facts.trials)) {
        const std::string state(trial.verdict ? to_string(trial.verdict->kind) : to_string(trial.state));
        text +=
            fmt::format("<section class='card'><b>{}</b> ({}) on shadow {}: {}<p class='sub'>{}</p>",
                        escaped(trial.spec.trial.text()), to_string(trial.spec.kind), escaped(trial.spec.shadow.text()),
                        word(state), escaped(trial.verdict ? trial.verdict->reason : trial.reason));
        if (trial.verdict) text += evidence_table(*trial.verdict);
        text += load_table(trial, facts.windows) + "</section>\n";
    }
    return text.empty() ? text : "<h2>Trials</h2>\n" + text;
}

}  // namespace penumbra::cli
