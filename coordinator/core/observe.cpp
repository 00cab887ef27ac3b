#include "coordinator/core/observe.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"

namespace penumbra::coordinator {

namespace {
void put_shadow(Turn& turn, const HostId& host, const model::ShadowStatus& status) {
    ShadowRecord& record = turn.fleet.shadows[status.spec.shadow];
    if (!record.host.empty() && record.host != host) return;  // another host's; this one only claims it
    const ShadowRecord next{.host = host, .gone = false, .status = status, .isolation = record.isolation};
    if (record == next) return;
    record = next;
    turn.keep(record);
}

void put_isolation(Turn& turn, const model::ProbeIsolation& asked, const model::IsolationReport& report) {
    const auto found = turn.fleet.shadows.find(asked.shadow);
    if (found == turn.fleet.shadows.end() || report.shadow != asked.shadow || report.arm != asked.arm) return;
    std::vector<model::IsolationReport>& reports = found->second.isolation;
    std::erase_if(reports, [&](const model::IsolationReport& earlier) { return earlier.arm == report.arm; });
    reports.push_back(report);
    turn.keep(found->second);
}

void lose_shadow(Turn& turn, ShadowRecord record) {
    record.gone = true;
    turn.keep(record);
    const ShadowId shadow = record.status.spec.shadow;
    for (const ArmId& arm : record.status.spec.arms)
        turn.fleet.kpi.forget({.group = record.status.spec.group, .shadow = shadow, .arm = arm});
    turn.fleet.shadows.erase(shadow);
}

enum class Whose : unsigned char { kTheHosts, kNotKnownYet, kNobodys };

/// A host speaks for its own VMs and for the shadows it runs.
Whose whose_is(const Fleet& fleet, const Host& host, const model::Vantage& vantage) {
    if (vantage.shadow.empty()) {
        const Host* owner = host_of(fleet, vantage.group.text());
        return owner == nullptr || owner == &host ? Whose::kTheHosts : Whose::kNobodys;
    }
    const auto found = fleet.shadows.find(vantage.shadow);
    if (found != fleet.shadows.end()) {
        const bool own = found->second.host == host.record.host && found->second.status.spec.group == vantage.group;
        return own ? Whose::kTheHosts : Whose::kNobodys;
    }
    const bool being_made = std::ranges::any_of(host.open, [&](const auto& item) {
        const auto* create = std::get_if<model::CreateShadow>(&fleet.commands.at(item.second).command.operation);
        return create != nullptr && create->shadow.shadow == vantage.shadow;
    });
    return being_made ? Whose::kNotKnownYet : Whose::kNobodys;
}

/// An outcome may come late, after a report that knows what has happened since: which shadows stand is the reports'
/// word alone. The host's next heartbeat is answered as if its state had not come, so it tells it again.
void ask_again(Fleet& fleet, const HostId& host) {
    const auto found = fleet.hosts.find(host);
    if (found != fleet.hosts.end()) found->second.shadows_version = 0;
}

/// False when a later report was taken already.
bool newer(std::uint64_t& seen, std::uint64_t version) {
    if (version < seen) return false;
    seen = version;
    return true;
}
}  // namespace

void observe(Turn& turn, Host& host, const model::FactsReport& report) {
    if (!newer(host.facts_version, report.version) || host.record.facts == report.facts) return;
    host.record.facts = report.facts;
    turn.keep(host.record);
}

void observe(Turn& turn, Host& host, const model::ShadowReport& report) {
    if (!newer(host.shadows_version, report.version)) return;
    std::set<ShadowId> there;
    for (const model::ShadowStatus& status : report.shadows) {
        there.insert(status.spec.shadow);
        put_shadow(turn, host.record.host, status);
    }
    std::vector<ShadowRecord> lost;
    for (const auto& [id, shadow] : turn.fleet.shadows) {
        if (shadow.host == host.record.host && !there.contains(id)) lost.push_back(shadow);
    }
    for (ShadowRecord& shadow : lost)
        lose_shadow(turn, std::move(shadow));
}

void observe(Turn&, Host& host, const model::EffectReport& report) {
    if (!newer(host.effects_version, report.version)) return;
    host.effects = report.effects;
}

void observe(Turn& turn, Host& host, const model::KpiReport& report) {
    std::map<model::Vantage, std::uint64_t> taken;
    for (const model::KpiWindow& window : report.windows) {
        const Whose whose = whose_is(turn.fleet, host, window.vantage);
        if (whose == Whose::kNotKnownYet) continue;
        if (whose == Whose::kNobodys) {  // acknowledged, or it would stand in the way of what follows it
            taken[window.vantage] = window.sequence;
            if (!std::exchange(host.kpi_refused, true)) {
                turn.tell("kpi_refused", "host:" + host.record.host.text(),
                          fmt::format("it sent windows of '{}{}{}', which is not its own, or gone",
                                      window.vantage.group.text(), window.vantage.shadow.empty() ? "" : " of ",
                                      window.vantage.shadow.text()));
            }
            continue;
        }
        if (turn.fleet.kpi.add(window)) turn.keep(KpiRecord{window});
        taken[window.vantage] = turn.fleet.kpi.last(window.vantage);
    }
    model::KpiAck ack;
    for (const auto& [vantage, last] : taken)
        ack.committed_up_to.emplace_back(vantage, last);
    turn.send_after_commit(host, std::move(ack));
}

void observe_outcome(Turn& turn, const CommandRecord& record) {
    if (record.state != model::CommandState::kSucceeded) return;
    const auto* replicate = std::get_if<model::ReplicateGroup>(&record.command.operation);
    const auto* generation = std::get_if<model::Generation>(&record.report.outcome);
    if (replicate != nullptr && generation != nullptr && generation->group == replicate->group) {
        GroupRecord& group = turn.fleet.groups[generation->group];
        group.group = generation->group;
        group.host = record.host;
        group.vms = {VmId(generation->group.text())};
        group.generations.push_back(*generation);
        if (group.generations.size() > limits::kGenerationsListedMax)
            group.generations.erase(group.generations.begin());
        turn.keep(group);
    }
    const auto* probe = std::get_if<model::ProbeIsolation>(&record.command.operation);
    const auto* isolation = std::get_if<model::IsolationReport>(&record.report.outcome);
    if (probe != nullptr && isolation != nullptr) put_isolation(turn, *probe, *isolation);
    const model::Operation& operation = record.command.operation;
    if (std::holds_alternative<model::CreateShadow>(operation) ||
        std::holds_alternative<model::DestroyShadow>(operation) ||
        std::holds_alternative<model::CleanHost>(operation)) {
        ask_again(turn.fleet, record.host);
    }
}

}  // namespace penumbra::coordinator
