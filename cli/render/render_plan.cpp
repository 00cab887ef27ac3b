#include <algorithm>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "cli/render/json_values.hpp"
#include "cli/render/render_analysis.hpp"
#include "cli/render/table.hpp"
#include "cli/render/text.hpp"

namespace penumbra::cli {

namespace {

using analysis::capacity::Deployment;
using analysis::capacity::PlanAction;
using analysis::capacity::PlanDecision;

constexpr int kJsonIndent = 2;
constexpr double kGibibyte = 1024.0 * 1024 * 1024;

std::string words_for(const PlanFindings& findings, const Deployment& deployment) {
    const auto& size = findings.options.sizes[deployment.size];
    return fmt::format("{} x {} vCPU {:g} GiB on {} {}", deployment.instances, size.vcpus,
                       static_cast<double>(size.memory_bytes) / kGibibyte, deployment.hosts,
                       deployment.hosts == 1 ? "host" : "hosts");
}

Json json_of(const PlanFindings& findings, const Deployment& deployment) {
    const auto& size = findings.options.sizes[deployment.size];
    return {
        {"vcpus", size.vcpus},       {"memory_bytes", size.memory_bytes},         {"instances", deployment.instances},
        {"hosts", deployment.hosts}, {"holds_per_second", deployment.per_second}, {"cost_an_hour", deployment.cost}};
}

/// Decisions may begin at the last step's end.
WallTime time_of(const PlanFindings& findings, std::size_t step) {
    return findings.at[std::min(step, findings.at.size() - 1)];
}

std::string json_text_of(const PlanFindings& findings) {
    Json decisions = Json::array();
    for (const PlanDecision& decision : findings.plan.decisions) {
        decisions.push_back({{"action", to_string(decision.action)},
                             {"begin", iso_time(time_of(findings, decision.begin))},
                             {"ready", iso_time(time_of(findings, decision.ready))},
                             {"target", json_of(findings, decision.target)},
                             {"late", decision.late},
                             {"reason", decision.reason}});
    }
    Json steps = Json::array();
    for (std::size_t i = 0; i < findings.plan.steps.size(); ++i) {
        Json step = json_of(findings, findings.plan.steps[i]);
        step["at"] = iso_time(findings.at[i]);
        step["demand_per_second"] = findings.demand[i];
        steps.push_back(std::move(step));
    }
    const Json json{{"explanation", findings.plan.explanation},
                    {"forecast", findings.forecast},
                    {"quantile", findings.quantile},
                    {"cost", findings.plan.cost},
                    {"short_steps", findings.plan.short_steps},
                    {"hosts_needed", findings.plan.hosts_needed ? Json(*findings.plan.hosts_needed) : Json()},
                    {"decisions", decisions},
                    {"steps", steps}};
    return json.dump(kJsonIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string render(const PlanFindings& findings, Format format) {
    if (format == Format::kJson) return json_text_of(findings);
    Table table({"BEGIN", "READY", "ACTION", "RUNS THEN", "HOLDS", "COST/H", "WHY"});
    for (const PlanDecision& decision : findings.plan.decisions) {
        table.add({iso_time(time_of(findings, decision.begin)), iso_time(time_of(findings, decision.ready)),
                   std::string(to_string(decision.action)), words_for(findings, decision.target),
                   fmt::format("{:.5g}", decision.target.per_second), fmt::format("{:.4g}", decision.target.cost),
                   decision.reason});
    }
    return fmt::format("{}\nforecast: {}\n{}", findings.plan.explanation, findings.forecast, table.text());
}

}  // namespace penumbra::cli
