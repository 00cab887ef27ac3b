#include "coordinator/core/views.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/limits/local.hpp"
#include "coordinator/core/commands.hpp"

namespace penumbra::coordinator {

namespace {
namespace api = model::api;
using Reply = std::optional<api::ReplyBody>;

Reply not_found(std::string_view noun, const std::string& name) {
    return api::Failure{.code = ErrorCode::kNotFound, .message = fmt::format("there is no {} '{}'", noun, name)};
}

/// All items, or the one asked for.
template <class Item, class Key, class Record, class View>
Reply all_or_one(const std::map<Key, Record>& records, const Key& one, std::string_view noun, View view) {
    std::vector<Item> items;
    for (const auto& [key, record] : records) {
        if (!one.empty() && key != one) continue;
        if (items.size() == limits::kItemsPerReplyMax) break;
        items.push_back(view(record));
    }
    if (!one.empty() && items.empty()) return not_found(noun, one.text());
    return items;
}

model::HostView view_of(const Host& host, Instant now) {
    const bool waited_for = host.session.has_value() || host.record.ever_seen;
    const auto silent = waited_for && !host.record.retired ? now - host.heard : Instant::duration(0);
    model::HostView shown{.host = host.record.host,
                          .state = host.state,
                          .reason = host.reason,
                          .agent_version = host.record.agent_version,
                          .silent_for = std::chrono::duration_cast<std::chrono::milliseconds>(silent),
                          .facts = host.record.facts};
    // What a host said of itself before it fell silent is not known to be so any more.
    if (host.state == model::HostState::kOnline || host.state == model::HostState::kDegraded) {
        shown.troubles = host.troubles;
        shown.hints = host.hints;
    }
    return shown;
}

/// What a command that is not sent yet waits for: its host, or an older command on the same resource.
std::string reason_to_wait(const Fleet& fleet, const CommandRecord& record) {
    const auto host = fleet.hosts.find(record.host);
    if (host == fleet.hosts.end()) return {};
    if (!host->second.session.has_value()) return fmt::format("waits for host {}", record.host.text());
    for (const auto& [fence, id] : host->second.open) {
        const CommandRecord& older = fleet.commands.at(id);
        if (fence >= record.command.fence) break;
        if (older.command.resource != record.command.resource) continue;
        std::string words = fmt::format("waits for {}", model::name_of(older.command.operation));
        if (older.report.progress > 0) words += fmt::format(", {:.0f} %", older.report.progress * 100);
        if (!older.report.message.empty()) words += ": " + older.report.message;
        return words;
    }
    return "waits for its turn";
}

model::CommandView view_of(const Fleet& fleet, const CommandRecord& record) {
    return {
        .id = record.command.id,
        .host = record.host,
        .resource = record.command.resource,
        .operation = std::string(model::name_of(record.command.operation)),
        .state = record.state,
        .reason = record.state == model::CommandState::kQueued ? reason_to_wait(fleet, record) : record.report.message,
        .asked_by = record.asked_by,
        .created = record.created,
        .progress = record.state == model::CommandState::kSucceeded ? 1 : record.report.progress,
        .time_left = record.report.time_left};
}

struct Viewing {
    const Fleet& fleet;
    Instant now;

    Reply operator()(const api::ListHosts&) const {
        return all_or_one<model::HostView>(fleet.hosts, HostId(), "host",
                                           [this](const Host& host) { return view_of(host, now); });
    }
    Reply operator()(const api::ListVms& asked) const {
        if (!asked.host.empty() && !fleet.hosts.contains(asked.host)) return not_found("host", asked.host.text());
        std::vector<model::VmView> vms;
        for (const auto& [id, host] : fleet.hosts) {
            if (host.record.retired || (!asked.host.empty() && id != asked.host)) continue;
            for (const model::VmFacts& facts : host.record.facts.vms) {
                if (vms.size() < limits::kItemsPerReplyMax) vms.push_back({.host = id, .facts = facts});
            }
        }
        return vms;
    }
    Reply operator()(const api::ListGroups&) const {
        return all_or_one<model::GroupView>(fleet.groups, GroupId(), "group", [](const GroupRecord& record) {
            return model::GroupView{
                .group = record.group, .host = record.host, .vms = record.vms, .generations = record.generations};
        });
    }
    Reply operator()(const api::ListShadows&) const {
        return all_or_one<model::ShadowView>(fleet.shadows, ShadowId(), "shadow", [](const ShadowRecord& record) {
            return model::ShadowView{.host = record.host, .status = record.status};
        });
    }
    Reply operator()(const api::ListTrials& asked) const {
        return all_or_one<model::TrialStatus>(fleet.trials, asked.trial, "trial",
                                              [](const TrialRecord& record) { return record.status; });
    }
    Reply operator()(const api::ListRollouts& asked) const {
        return all_or_one<model::RolloutStatus>(fleet.rollouts, asked.rollout, "rollout",
                                                [](const RolloutRecord& record) { return record.status; });
    }
    Reply operator()(const api::ListCommands& asked) const {
        return all_or_one<model::CommandView>(fleet.commands, asked.command, "command",
                                              [this](const CommandRecord& record) { return view_of(fleet, record); });
    }
    Reply operator()(const api::ListKpi& asked) const {
        std::vector<model::KpiWindow> windows = fleet.kpi.within(asked.vantage, {.from = asked.from, .to = asked.to});
        if (windows.size() > limits::kItemsPerReplyMax) windows.resize(limits::kItemsPerReplyMax);
        return windows;
    }
    Reply operator()(const api::ListIsolation& asked) const {
        if (!asked.shadow.empty() && !fleet.shadows.contains(asked.shadow))
            return not_found("shadow", asked.shadow.text());
        std::vector<model::IsolationReport> reports;
        for (const auto& [id, record] : fleet.shadows) {
            if (asked.shadow.empty() || id == asked.shadow)
                reports.insert(reports.end(), record.isolation.begin(), record.isolation.end());
        }
        return reports;
    }
    template <class Other>
    Reply operator()(const Other&) const {
        return std::nullopt;
    }
};

}  // namespace

std::optional<model::api::ReplyBody> view(const Fleet& fleet, const model::api::RequestBody& request, Instant now) {
    return std::visit(Viewing{fleet, now}, request);
}

}  // namespace penumbra::coordinator
