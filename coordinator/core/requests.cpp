#include "coordinator/core/requests.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"
#include "coordinator/core/commands.hpp"
#include "coordinator/core/rollout_machine.hpp"
#include "coordinator/core/trial_machine.hpp"
#include "proto/model/resource.hpp"

namespace penumbra::coordinator {

namespace {

Result<HostId> locate(const Fleet& fleet, const std::string& vm) {
    const Host* host = host_of(fleet, vm);
    if (host == nullptr)
        return fail(ErrorCode::kNotFound, fmt::format("no host has a VM '{}': see `penumbra vm list`", vm));
    return host->record.host;
}

/// What a person asks of a host that nobody hears is refused: it would wait for that host without a word. What is under
/// way, an undo above all, is queued for its return all the same.
Result<void> check_heard(const Fleet& fleet, const HostId& id) {
    const auto host = fleet.hosts.find(id);
    if (host == fleet.hosts.end() || host->second.state != model::HostState::kUnreachable) return {};
    return fail(ErrorCode::kUnavailable,
                fmt::format("host '{}' is UNREACHABLE, {}: look there with `systemctl status penumbra-agent`, and ask "
                            "again when `penumbra host list` has it ONLINE",
                            id.text(), host->second.reason));
}

Result<void> check_heard(const Fleet& fleet, const ShadowId& id) {
    const auto shadow = fleet.shadows.find(id);
    return shadow == fleet.shadows.end() ? Result<void>() : check_heard(fleet, shadow->second.host);
}

/// Each returns the subject under which what came of it is listed.
struct Answering {
    Turn& turn;
    const std::string& user;

    [[nodiscard]] Result<std::string> ask(HostId host, std::string resource, model::Operation operation) const {
        TRY(check_heard(turn.fleet, host));
        const CommandId id = TRY(order(turn, {.host = std::move(host),
                                              .resource = ResourceId(std::move(resource)),
                                              .operation = std::move(operation),
                                              .asked_by = "user:" + user}));
        return "command:" + id.text();
    }
    Result<std::string> operator()(const model::api::Replicate& asked) const {
        HostId host = TRY(locate(turn.fleet, asked.group.text()));
        return ask(std::move(host), "group:" + asked.group.text(), model::ReplicateGroup{asked.group});
    }
    Result<std::string> operator()(const model::api::MakeShadow& asked) const {
        const ShadowId& shadow = asked.shadow.shadow;
        const GroupId& group = asked.shadow.group;
        if (turn.fleet.shadows.contains(shadow))
            return fail(ErrorCode::kAlreadyExists, fmt::format("there is a shadow '{}' already", shadow.text()));
        const HostId host = TRY(locate(turn.fleet, group.text()));
        const std::string resource = "group:" + group.text();
        // The full copy takes long; a second, short one brings the cut close to now.
        if (!turn.fleet.groups.contains(group)) TRY(ask(host, resource, model::ReplicateGroup{group}));
        TRY(ask(host, resource, model::ReplicateGroup{group}));
        return ask(host, resource, model::CreateShadow{asked.shadow});
    }
    Result<std::string> operator()(const model::api::RemoveShadow& asked) const {
        const auto found = turn.fleet.shadows.find(asked.shadow);
        if (found == turn.fleet.shadows.end())
            return fail(ErrorCode::kNotFound, fmt::format("there is no shadow '{}'", asked.shadow.text()));
        if (const TrialRecord* trial = trial_on(turn.fleet, asked.shadow); trial != nullptr) {
            return fail(ErrorCode::kConflict, fmt::format("trial '{}' runs on shadow '{}': abort it first",
                                                          trial->status.spec.trial.text(), asked.shadow.text()));
        }
        return ask(found->second.host, "shadow:" + asked.shadow.text(), model::DestroyShadow{asked.shadow});
    }
    Result<std::string> operator()(const model::api::RemoveEverything& asked) const {
        return ask(asked.host, model::whole_host(asked.host).text(), model::CleanHost{});
    }
    Result<std::string> operator()(const model::api::RetireHost& asked) const {
        const auto found = turn.fleet.hosts.find(asked.host);
        if (found == turn.fleet.hosts.end())
            return fail(ErrorCode::kNotFound, fmt::format("host '{}' is not enrolled", asked.host.text()));
        found->second.record.retired = true;
        found->second.state = model::HostState::kRetired;
        found->second.reason = "retired by " + user;
        found->second.session.reset();
        turn.keep(found->second.record);
        return "host:" + asked.host.text();
    }
    Result<std::string> operator()(const model::api::ResolveCommand& asked) const {
        TRY(resolve(turn, asked, user));
        return "command:" + asked.command.text();
    }
    Result<std::string> operator()(const model::api::ProbeShadow& asked) const {
        const auto found = turn.fleet.shadows.find(asked.shadow);
        if (found == turn.fleet.shadows.end())
            return fail(ErrorCode::kNotFound, fmt::format("there is no shadow '{}'", asked.shadow.text()));
        return ask(found->second.host, "shadow:" + asked.shadow.text(),
                   model::ProbeIsolation{.shadow = asked.shadow, .arm = asked.arm});
    }
    Result<std::string> operator()(const StartTrial& asked) const {
        TRY(check_heard(turn.fleet, asked.spec.shadow));
        return "trial:" + TRY(start_trial(turn, asked.spec, RolloutId(), "user:" + user)).text();
    }
    Result<std::string> operator()(const model::api::AbortTrial& asked) const {
        TRY(abort_trial(turn, asked.trial, fmt::format("{} aborted it", user)));
        return "trial:" + asked.trial.text();
    }
    Result<std::string> operator()(const StartRollout& asked) const {
        TRY(check_heard(turn.fleet, asked.spec.trial.shadow));
        return "rollout:" + TRY(start_rollout(turn, asked.spec, "user:" + user)).text();
    }
    Result<std::string> operator()(const model::api::ConfirmRollout& asked) const {
        TRY(confirm_rollout(turn, asked.rollout, user));
        return "rollout:" + asked.rollout.text();
    }
    Result<std::string> operator()(const model::api::AbortRollout& asked) const {
        TRY(abort_rollout(turn, asked.rollout, user));
        return "rollout:" + asked.rollout.text();
    }
    Result<std::string> operator()(const EnrolHost& asked) const {
        if (turn.fleet.hosts.size() >= limits::kHostsMax)
            return fail(ErrorCode::kResourceExhausted, "the fleet is full");
        Host& host = turn.fleet.hosts[asked.host];
        host.record.host = asked.host;
        host.record.retired = false;
        host.state = model::HostState::kPending;
        host.reason = "enrolled, not heard of since";
        host.breaches = 0;
        turn.keep(host.record);
        return "host:" + asked.host.text();
    }
};

}  // namespace

void take_request(Turn& turn, const Asked& asked) {
    if (const auto known = turn.fleet.requests.find(asked.request_id); known != turn.fleet.requests.end()) {
        turn.after_commit.emplace_back(Answer{.client = asked.client, .reply = known->second.reply});
        return;
    }
    const Result<std::string> subject = std::visit(Answering{turn, asked.user}, asked.ask);
    model::api::Reply reply{.request_id = asked.request_id};
    if (subject.has_value()) {
        reply.body = model::api::Accepted{*subject};
    } else {
        reply.body = model::api::Failure{.code = subject.error().code, .message = subject.error().describe()};
    }
    if (!asked.request_id.empty()) {
        if (turn.fleet.requests.size() >= limits::kRequestsRememberedMax) {
            turn.fleet.requests.erase(turn.fleet.requests_by_age.front());
            turn.fleet.requests_by_age.pop_front();
        }
        turn.fleet.requests_by_age.push_back(asked.request_id);
        const RequestRecord record{.user = asked.user, .reply = reply};
        turn.keep(record);
        turn.fleet.requests[asked.request_id] = record;
    }
    turn.after_commit.emplace_back(Answer{.client = asked.client, .reply = std::move(reply)});
}

}  // namespace penumbra::coordinator
