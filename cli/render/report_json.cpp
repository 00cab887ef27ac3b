#include <algorithm>

#include "cli/render/json_values.hpp"
#include "cli/render/text.hpp"
#include "cli/report/cloning.hpp"
#include "cli/report/report_facts.hpp"

namespace penumbra::cli {

namespace {
Json json_of(const VantageLedger& sum) {
    const model::ReplayLedger& ledger = sum.ledger;
    const std::uint64_t lost = ledger.lost_capture_drop + ledger.lost_spool_full + ledger.lost_connect +
                               ledger.lost_timeout + ledger.lost_reset + ledger.lost_not_sent;
    return {{"shadow", sum.vantage.shadow.text()},
            {"arm", sum.vantage.arm.text()},
            {"captured", ledger.captured},
            {"replayed", ledger.replayed},
            {"lost", lost},
            {"lost_by_reason", cli::json_of(ledger)}};
}

// Forty thousand windows with their histograms would make the file unreadable; the page draws from them, the JSON
// counts.
Json window_counts(const std::vector<model::KpiWindow>& windows) {
    Json counts = Json::object();
    for (const model::KpiWindow& window : windows) {
        const std::string name = window.vantage.arm.empty() ? "production" : window.vantage.arm.text();
        Json& entry = counts[name];
        if (entry.is_null()) entry = {{"windows", 0}, {"requests", 0}, {"errors", 0}};
        entry["windows"] = entry["windows"].get<std::uint64_t>() + 1;
        entry["requests"] = entry["requests"].get<std::uint64_t>() + window.requests;
        entry["errors"] = entry["errors"].get<std::uint64_t>() + window.errors;
    }
    return counts;
}

Json isolation_of(const std::vector<model::IsolationReport>& reports) {
    std::uint64_t frames = 0;
    std::uint64_t seen = 0;
    std::uint64_t control = 0;
    for (const model::IsolationReport& report : reports) {
        frames += report.corpus_frames;
        seen += report.seen_on_production;
        control += report.positive_control_seen;
    }
    return {{"corpus_frames", frames},
            {"seen_on_production", seen},
            {"positive_control_seen", control},
            {"arms", cli::json_of(reports)}};
}

Json json_of(const ServedPeriod& period) {
    const bool is_known = period.requests > 0;
    return {{"observed", period.was_observed},
            {"requests", period.requests},
            {"median_ms", is_known ? Json(period.median_ms) : Json(nullptr)},
            {"p95_ms", is_known ? Json(period.p95_ms) : Json(nullptr)}};
}

Json clonings_json(const ReportFacts& facts) {
    const std::vector<model::KpiWindow> windows = production_windows(facts);
    Json clonings = Json::array();
    for (const Cloning& cloning : latest_clonings(facts)) {
        const CloningCost cost = cost_of(cloning, windows);
        Json steps = Json::array();
        for (const ChartSpan& step : cloning.steps)
            steps.push_back(
                {{"name", step.name}, {"state", step.word}, {"from", iso_time(step.from)}, {"to", iso_time(step.to)}});
        clonings.push_back(
            {{"group", cloning.group.text()},
             {"from", iso_time(cloning.from)},
             {"to", iso_time(cloning.to)},
             {"steps", steps},
             {"production",
              {{"before", json_of(cost.before)}, {"during", json_of(cost.during)}, {"after", json_of(cost.after)}}}});
    }
    return clonings;
}

// `past_coverage`: of all points of all groups that were foretold, each group weighing by its points.
Json forecast_of(const std::vector<model::ForecastView>& views) {
    Json quantiles = Json::array();
    std::vector<double> coverage;
    double points = 0;
    for (const model::ForecastView& view : views) {
        quantiles = view.quantiles;
        if (view.past_coverage.empty()) continue;
        coverage.resize(std::max(coverage.size(), view.past_coverage.size()));
        for (std::size_t i = 0; i < view.past_coverage.size(); ++i)
            coverage[i] += view.past_coverage[i] * static_cast<double>(view.points_used);
        points += static_cast<double>(view.points_used);
    }
    for (double& share : coverage)
        share /= points;
    return {{"quantiles", quantiles}, {"past_coverage", coverage}, {"groups", cli::json_of(views)}};
}
}  // namespace

std::string report_json(const ReportFacts& facts) {
    Json replay = Json::array();
    for (const VantageLedger& sum : ledgers_of(facts.windows))
        replay.push_back(json_of(sum));
    Json generations = Json::array();
    for (const model::GroupView& group : facts.groups) {
        for (const model::Generation& generation : group.generations)
            generations.push_back(cli::json_of(generation));
    }
    const Json report = {{"made", iso_time(facts.made)},
                         {"version", facts.version},
                         {"hosts", cli::json_of(facts.hosts)},
                         {"replica", {{"generations", generations}}},
                         {"cloning", clonings_json(facts)},
                         {"shadows", cli::json_of(facts.shadows)},
                         {"isolation", isolation_of(facts.isolation)},
                         {"replay", replay},
                         {"kpi", window_counts(facts.windows)},
                         {"trials", cli::json_of(facts.trials)},
                         {"forecast", forecast_of(facts.forecasts)},
                         {"rollouts", cli::json_of(facts.rollouts)}};
    return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace penumbra::cli
