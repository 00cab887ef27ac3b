#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/durable_file.hpp"
#include "base/limits/cli.hpp"
#include "base/limits/local.hpp"
#include "cli/report/cloning.hpp"
#include "cli/report/report_facts.hpp"
#include "cli/verbs.hpp"

namespace penumbra::cli {

namespace {
// A reply holds so many items, so the windows of a vantage come in pages by time.
Result<void> add_windows(const Ask& ask, const model::Vantage& vantage, WallTime from, WallTime to,
                         std::vector<model::KpiWindow>& into) {
    while (from < to && into.size() < limits::kReportWindowsMax) {
        auto page = TRY(ask_for<std::vector<model::KpiWindow>>(
            ask, model::api::ListKpi{.vantage = vantage, .from = from, .to = to}));
        if (page.empty()) return {};
        from = std::max(page.back().begin, from) + std::chrono::milliseconds(1);
        const bool last = page.size() < limits::kItemsPerReplyMax;
        into.insert(into.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
        if (last) return {};
    }
    return {};
}

Result<void> add_events(const Ask& ask, std::vector<model::EventView>& into) {
    while (into.size() < limits::kReportEventsMax) {
        const std::uint64_t after = into.empty() ? 0 : into.back().sequence;
        const auto page = TRY(ask_for<std::vector<model::EventView>>(ask, model::api::ListEvents{.after = after}));
        if (page.empty() || page.back().sequence <= after) return {};
        into.insert(into.end(), page.begin(), page.end());
    }
    return {};
}

// A group without history has no forecast, which is no reason to have no report.
Result<void> add_forecasts(const Ask& ask, const std::vector<model::GroupView>& groups,
                           std::vector<model::ForecastView>& into) {
    for (const model::GroupView& group : groups) {
        Result<model::ForecastView> forecast =
            ask_for<model::ForecastView>(ask, model::api::ShowForecast{group.group, ""});
        if (forecast.has_value()) {
            into.push_back(std::move(*forecast));
        } else if (forecast.error().code != ErrorCode::kNotFound) {
            return tl::unexpected(std::move(forecast).error());
        }
    }
    return {};
}

// A cloning may lie long before the first trial; its picture needs production's windows of that time alone.
Result<void> add_cloning_windows(const Ask& ask, WallTime until, ReportFacts& facts) {
    std::map<GroupId, WallTime> fetched;
    for (const Cloning& cloning : latest_clonings(facts)) {
        WallTime& done = fetched[cloning.group];
        const WallTime from = std::max(cloning.from - limits::kReportCloningMargin, done);
        done = std::min(cloning.to + limits::kReportCloningMargin, until);
        TRY(add_windows(ask, {.group = cloning.group}, from, done, facts.windows_before));
    }
    return {};
}

WallTime first_of(const ReportFacts& facts) {
    WallTime first = facts.made;
    const auto look = [&first](WallTime begun) {
        if (begun != WallTime{}) first = std::min(first, begun);
    };
    for (const auto& trial : facts.trials)
        look(trial.begun);
    for (const auto& rollout : facts.rollouts)
        look(rollout.begun);
    return first - limits::kReportLead;
}

Result<ReportFacts> gather(Session& session, std::string version) {
    const Ask& ask = session.ask;
    ReportFacts facts{.made = session.now(), .version = std::move(version)};
    facts.hosts = TRY(ask_for<std::vector<model::HostView>>(ask, model::api::ListHosts{}));
    facts.groups = TRY(ask_for<std::vector<model::GroupView>>(ask, model::api::ListGroups{}));
    facts.shadows = TRY(ask_for<std::vector<model::ShadowView>>(ask, model::api::ListShadows{}));
    facts.trials = TRY(ask_for<std::vector<model::TrialStatus>>(ask, model::api::ListTrials{}));
    facts.rollouts = TRY(ask_for<std::vector<model::RolloutStatus>>(ask, model::api::ListRollouts{}));
    facts.isolation = TRY(ask_for<std::vector<model::IsolationReport>>(ask, model::api::ListIsolation{}));
    facts.commands = TRY(ask_for<std::vector<model::CommandView>>(ask, model::api::ListCommands{}));
    TRY(add_forecasts(ask, facts.groups, facts.forecasts));
    TRY(add_events(ask, facts.events));
    const WallTime from = first_of(facts);
    TRY(add_cloning_windows(ask, from, facts));
    for (const model::GroupView& group : facts.groups)
        TRY(add_windows(ask, {.group = group.group}, from, facts.made, facts.windows));
    for (const model::ShadowView& shadow : facts.shadows) {
        for (const ArmId& arm : shadow.status.spec.arms) {
            TRY(add_windows(ask, {.group = shadow.status.spec.group, .shadow = shadow.status.spec.shadow, .arm = arm},
                            from, facts.made, facts.windows));
        }
    }
    return facts;
}
}  // namespace

Result<ExitCode> write_report(Session& session, const std::filesystem::path& folder, std::string version) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail_errno(error.value(), fmt::format("making the folder {}", folder.native()));
    const ReportFacts facts = TRY(gather(session, std::move(version)));
    for (const auto& [name, text] :
         {std::pair("report.json", report_json(facts)), std::pair("report.html", report_html(facts))}) {
        TRY(write_file_durably(folder / name, text, 0644));
        session.print(fmt::format("{}\n", (folder / name).native()));
    }
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
