#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/findings.hpp"
#include "cli/verbs.hpp"

namespace penumbra::cli {

namespace {
void look_at_state(const model::HostView& host, std::vector<Finding>& findings) {
    const auto add = [&](const std::string& problem) { findings.push_back({host.host, "host", problem}); };
    const auto state = model::to_string(host.state);
    for (const std::string& trouble : host.troubles)
        add(fmt::format("it is {}: {}", state, trouble));
    if (host.state != model::HostState::kOnline && host.troubles.empty())
        add(fmt::format("it is {}: {}", state, host.reason));
    for (const std::string& hint : host.hints)
        add(hint);
}

void look_at_ceiling(const model::HostView& host, std::vector<Finding>& findings) {
    const auto add = [&](std::string problem) { findings.push_back({host.host, "host", std::move(problem)}); };
    const model::Ceiling ceiling = host.facts.ceiling;
    if (ceiling < model::Ceiling::kChange) {
        add(
            fmt::format("its ceiling is {}: {} is refused until root of the host raises `ceiling` in "
                        "/etc/penumbra/policy.toml",
                        model::to_string(ceiling),
                        ceiling == model::Ceiling::kObserve     ? "everything but looking"
                        : ceiling == model::Ceiling::kReplicate ? "a shadow, and any change,"
                                                                : "any change to production"));
    }
    if (ceiling >= model::Ceiling::kShadow && !host.facts.may_run_shadows) {
        add("no shadow may run on it: root of the host allows it by `run_shadows = true` in /etc/penumbra/policy.toml");
    }
}
}  // namespace

std::vector<Finding> find_problems(const std::vector<model::HostView>& hosts,
                                   const std::vector<model::CommandView>& commands) {
    std::vector<Finding> findings;
    if (hosts.empty()) {
        findings.push_back({HostId(), "fleet", "no host is enrolled: `penumbra host token NAME` says how"});
    }
    for (const model::HostView& host : hosts) {
        if (host.state == model::HostState::kRetired) continue;
        look_at_state(host, findings);
        // Of a host that was never heard, nothing more is known.
        if (host.state == model::HostState::kPending) continue;
        look_at_ceiling(host, findings);
        for (const model::VmFacts& vm : host.facts.vms) {
            if (vm.cloneable) continue;
            findings.push_back({host.host, "vm " + vm.name,
                                fmt::format("it cannot be cloned: {}",
                                            vm.reasons.empty() ? "the host gave no reason"
                                                               : fmt::format("{}", fmt::join(vm.reasons, "; ")))});
        }
    }
    for (const model::CommandView& command : commands) {
        if (command.state != model::CommandState::kUnknown) continue;
        findings.push_back({command.host, "command " + command.id.text(),
                            fmt::format("whether {} on {} was done is UNKNOWN: it ends when the host is back, or by "
                                        "`penumbra command resolve`",
                                        command.operation, command.resource.text())});
    }
    return findings;
}

Result<ExitCode> doctor(Session& session) {
    const auto hosts = TRY(ask_for<std::vector<model::HostView>>(session.ask, model::api::ListHosts{}));
    const auto commands = TRY(ask_for<std::vector<model::CommandView>>(session.ask, model::api::ListCommands{}));
    const std::vector<Finding> findings = find_problems(hosts, commands);
    session.print(render(findings, session.format));
    return findings.empty() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace penumbra::cli
