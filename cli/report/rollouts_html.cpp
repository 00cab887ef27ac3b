#include "cli/report/html.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {

using model::to_string;

namespace {

constexpr std::size_t kColumns = 7;

std::string row_of(const model::RolloutStatus& rollout, const model::RolloutTarget* target) {
    const std::string state(rollout.outcome ? to_string(*rollout.outcome) : to_string(rollout.state));
    std::string row = "<tr>" + cell(escaped(rollout.spec.rollout.text()), true) +
                      cell(escaped(model::kind_of(rollout.spec.change))) + cell(word(state));
    if (target != nullptr) {
        row += cell(escaped(target->vm.text()), true) + hash_cell(target->before_hash) + hash_cell(target->after_hash) +
               hash_cell(target->final_hash);
    } else {
        row += cell("-") + cell("-") + cell("-") + cell("-");
    }
    return row + "</tr>\n";
}

}  // namespace

std::string rollout_section(const ReportFacts& facts) {
    std::string rows;
    for (const model::RolloutStatus& rollout : by_begin(facts.rollouts)) {
        for (const model::RolloutTarget& target : rollout.targets) {
            rows += row_of(rollout, &target);
            // The rollout's reason is often made of its target's.
            if (rollout.reason.find(target.reason) == std::string::npos) rows += row_below(kColumns, target.reason);
        }
        if (rollout.targets.empty()) rows += row_of(rollout, nullptr);
        rows += row_below(kColumns, rollout.reason);
    }
    const std::string table = table_of({"Rollout", "Change", "Outcome", "VM", "Before", "After", "Final"}, rows);
    return table.empty() ? table : "<h2>Rollouts</h2>\n" + table;
}

}  // namespace penumbra::cli
