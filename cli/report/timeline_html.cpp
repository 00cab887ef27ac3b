#include <algorithm>

#include "cli/report/cloning.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {

using model::to_string;

std::vector<ChartSpan> trial_spans(const ReportFacts& facts) {
    std::vector<ChartSpan> spans;
    for (const model::TrialStatus& trial : facts.trials) {
        if (trial.begun == WallTime{} || trial.ended == WallTime{}) continue;
        const std::string word(trial.verdict ? to_string(trial.verdict->kind) : "");
        spans.push_back(
            {.name = trial.spec.trial.text(), .word = word, .css_class = word, .from = trial.begun, .to = trial.ended});
    }
    return spans;
}

std::string timeline_section(const ReportFacts& facts) {
    std::vector<TimelineRow> rows;
    for (const Cloning& cloning : clonings_of(facts)) {
        for (const ChartSpan& step : cloning.steps)
            rows.push_back({.name = step.name + " of " + cloning.group.text(), .spans = {step}});
    }
    for (const ChartSpan& span : trial_spans(facts))
        rows.push_back({.name = "trial " + span.name, .spans = {span}});
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
    std::ranges::stable_sort(rows, {}, [](const TimelineRow& row) { return row.spans.front().from; });
    return rows.empty() ? std::string() : "<h2>Timeline</h2>\n" + svg_of(rows);
}

}  // namespace penumbra::cli
