#include "cli/report/cloning.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/limits/cli.hpp"
#include "cli/report/kpi_charts.hpp"
#include "cli/report/sections.hpp"

namespace penumbra::cli {

namespace {

constexpr std::string_view kReplicate = "replicate_group";
constexpr std::string_view kMakeShadow = "create_shadow";
constexpr std::string_view kGroupResource = "group:";

/// A replication or the making of a shadow that came to an end.
struct Step {
    GroupId group;
    bool is_shadow = false;
    bool succeeded = false;
    std::string state;
    WallTime from{};
    WallTime to{};
};

const model::CommandView* command_of(const ReportFacts& facts, const model::EventView& event) {
    const auto found = std::ranges::find_if(
        facts.commands, [&](const auto& command) { return event.subject == "command:" + command.id.text(); });
    return found == facts.commands.end() ? nullptr : &*found;
}

/// Nothing if the event does not end such a command, or if nobody knows of which group.
std::optional<Step> step_of(const ReportFacts& facts, const model::EventView& event) {
    const bool is_shadow = event.message.starts_with(kMakeShadow);
    if (!is_shadow && !event.message.starts_with(kReplicate)) return std::nullopt;
    const bool succeeded = event.kind == "command_SUCCEEDED";
    if (!succeeded && event.kind != "command_FAILED") return std::nullopt;
    Step step{.is_shadow = is_shadow,
              .succeeded = succeeded,
              .state = event.kind.substr(event.kind.find('_') + 1),
              .from = event.at,
              .to = event.at};
    if (const model::CommandView* command = command_of(facts, event); command != nullptr) {
        const std::string& resource = command->resource.text();
        if (!resource.starts_with(kGroupResource)) return std::nullopt;
        step.group = GroupId(resource.substr(kGroupResource.size()));
        step.from = std::min(command->created, event.at);
    } else if (facts.groups.size() == 1) {
        step.group = facts.groups.front().group;
        step.from = WallTime{};  // ends where the one before it ends
    } else {
        return std::nullopt;
    }
    return step;
}

/// Commands on one group run one after the other, so one that was asked for earlier began when that ended.
std::vector<Step> steps_of(const ReportFacts& facts) {
    std::vector<Step> steps;
    std::map<GroupId, WallTime> ended;
    for (const model::EventView& event : facts.events) {
        std::optional<Step> step = step_of(facts, event);
        if (!step.has_value()) continue;
        const auto [before, is_first] = ended.try_emplace(step->group, step->from);
        if (!is_first) step->from = std::max(step->from, before->second);
        if (step->from == WallTime{}) step->from = step->to;
        before->second = step->to;
        steps.push_back(std::move(*step));
    }
    return steps;
}

/// The kinds of the replicas, if there are as many as replications that succeeded.
std::string name_of(const Step& step, const model::GroupView* group, std::size_t index, std::size_t count) {
    if (step.is_shadow) return "shadow";
    if (!step.succeeded || group == nullptr || group->generations.size() != count) return "replica";
    return std::string(to_string(group->generations[index].kind)) + " replica";
}

const model::GroupView* view_of(const ReportFacts& facts, const GroupId& group) {
    const auto found = std::ranges::find(facts.groups, group, &model::GroupView::group);
    return found == facts.groups.end() ? nullptr : &*found;
}

void add_clonings(const ReportFacts& facts, const GroupId& group, const std::vector<Step>& steps,
                  std::vector<Cloning>& into) {
    const auto is_replica = [&](const Step& step) { return step.group == group && !step.is_shadow && step.succeeded; };
    const auto count = static_cast<std::size_t>(std::ranges::count_if(steps, is_replica));
    std::size_t index = 0;
    Cloning now{.group = group};
    for (const Step& step : steps) {
        if (step.group != group) continue;
        if (!now.steps.empty() && step.from - now.steps.back().to > limits::kReportCloningPause) now.steps.clear();
        now.steps.push_back({.name = name_of(step, view_of(facts, group), index, count),
                             .word = step.state,
                             .css_class = step.state,
                             .from = step.from,
                             .to = step.to});
        if (is_replica(step)) ++index;
        if (!step.is_shadow || !step.succeeded) continue;
        now.from = now.steps.front().from;
        now.to = step.to;
        into.push_back(std::move(now));
        now = {.group = group};
    }
}

/// Production's response times while a period lasted.
double quantile_ms(const std::map<std::uint64_t, std::uint64_t>& counts_by_us, std::uint64_t requests,
                   double quantile) {
    const double wanted = std::ceil(quantile * static_cast<double>(requests));
    double seen = 0;
    for (const auto& [value_us, count] : counts_by_us) {
        seen += static_cast<double>(count);
        if (seen >= wanted) return static_cast<double>(value_us) / 1000;
    }
    return 0;
}

ServedPeriod period_of(const std::vector<model::KpiWindow>& windows, const GroupId& group, WallTime from, WallTime to) {
    ServedPeriod period;
    std::map<std::uint64_t, std::uint64_t> counts_by_us;
    for (const model::KpiWindow& window : windows) {
        if (window.vantage.group != group || !window.vantage.arm.empty()) continue;
        if (window.begin < from || window.begin >= to) continue;
        period.was_observed = true;
        for (const model::HistogramBucket& bucket : window.response_time) {
            period.requests += bucket.count;
            counts_by_us[bucket.value_us] += bucket.count;
        }
    }
    period.median_ms = quantile_ms(counts_by_us, period.requests, 0.5);
    period.p95_ms = quantile_ms(counts_by_us, period.requests, 0.95);
    return period;
}

/// Three digits: histograms have no more.
std::string rounded_ms(double value) {
    const double digit = std::pow(10, std::floor(std::log10(std::max(value, 1.0))) - 2);
    return value_text(std::round(value / digit) * digit, "ms");
}

std::string words_of(const ServedPeriod& period, std::string_view when) {
    if (!period.was_observed) return fmt::format("not known {} (production was not observed then)", when);
    if (period.requests == 0) return fmt::format("not known {} (no request was answered)", when);
    return fmt::format("{} {} ({} requests, 95 % of them within {})", rounded_ms(period.median_ms), when,
                       period.requests, rounded_ms(period.p95_ms));
}

/// "full replica 45.6 s, shadow 40 s": a step may be too short to be named in the picture.
std::string steps_text(const Cloning& cloning) {
    std::string text;
    for (const ChartSpan& step : cloning.steps) {
        const std::chrono::duration<double, std::milli> length = step.to - step.from;
        text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", step.name, rounded_ms(length.count()),
                            step.word == "SUCCEEDED" ? "" : " (" + step.word + ")");
    }
    return text;
}

Chart chart_of(const Cloning& cloning, const std::vector<model::KpiWindow>& windows) {
    const WallTime from = cloning.from - limits::kReportCloningMargin;
    const WallTime to = cloning.to + limits::kReportCloningMargin;
    std::vector<model::KpiWindow> shown;
    std::ranges::copy_if(windows, std::back_inserter(shown), [&](const model::KpiWindow& window) {
        return window.vantage == model::Vantage{.group = cloning.group} && window.begin >= from && window.begin < to;
    });
    return {.title = fmt::format("Production's response time while {} was cloned, mean of each window",
                                 cloning.group.text()),
            .unit = "ms",
            .scale = Scale::kLogarithmic,
            .from = from,
            .to = to,
            .lines = lines_of(shown, response_ms),
            .bands = {},
            .spans = cloning.steps};
}

}  // namespace

std::vector<Cloning> clonings_of(const ReportFacts& facts) {
    const std::vector<Step> steps = steps_of(facts);
    std::vector<GroupId> groups;
    for (const Step& step : steps) {
        if (std::ranges::find(groups, step.group) == groups.end()) groups.push_back(step.group);
    }
    std::vector<Cloning> clonings;
    for (const GroupId& group : groups)
        add_clonings(facts, group, steps, clonings);
    std::ranges::stable_sort(clonings, {}, &Cloning::from);
    return clonings;
}

std::vector<Cloning> latest_clonings(const ReportFacts& facts) {
    std::vector<Cloning> clonings = clonings_of(facts);
    if (clonings.size() > limits::kReportCloningsMax)
        clonings.erase(clonings.begin(), clonings.end() - static_cast<std::ptrdiff_t>(limits::kReportCloningsMax));
    return clonings;
}

CloningCost cost_of(const Cloning& cloning, const std::vector<model::KpiWindow>& windows) {
    const auto during = [&](WallTime from, WallTime to) { return period_of(windows, cloning.group, from, to); };
    return {.before = during(cloning.from - limits::kReportCloningMargin, cloning.from),
            .during = during(cloning.from, cloning.to),
            .after = during(cloning.to, cloning.to + limits::kReportCloningMargin)};
}

std::vector<model::KpiWindow> production_windows(const ReportFacts& facts) {
    std::vector<model::KpiWindow> windows = facts.windows_before;
    std::ranges::copy_if(facts.windows, std::back_inserter(windows),
                         [](const model::KpiWindow& window) { return window.vantage.arm.empty(); });
    return windows;
}

std::string cloning_sentence(const Cloning& cloning, const std::vector<model::KpiWindow>& windows) {
    const CloningCost cost = cost_of(cloning, windows);
    return fmt::format("Production's median response time was {}, {} and {}.",
                       words_of(cost.before, "in the minute before"), words_of(cost.during, "during the cloning"),
                       words_of(cost.after, "in the minute after"));
}

std::string cloning_section(const ReportFacts& facts) {
    const std::vector<Cloning> clonings = latest_clonings(facts);
    if (clonings.empty()) return {};
    const std::vector<model::KpiWindow> windows = production_windows(facts);
    std::string text = "<h2>Cloning</h2>\n";
    if (const std::size_t all = clonings_of(facts).size(); clonings.size() < all)
        text += fmt::format("<p class='sub'>the latest {} of {} clonings</p>\n", clonings.size(), all);
    for (const Cloning& cloning : clonings) {
        text += fmt::format("<p>{}</p>\n<p class='sub'>{}</p>\n", escaped(cloning_sentence(cloning, windows)),
                            escaped(steps_text(cloning))) +
                svg_of(chart_of(cloning, windows));
    }
    return text;
}

}  // namespace penumbra::cli
