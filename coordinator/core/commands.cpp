#include "coordinator/core/commands.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"
#include "base/limits/link.hpp"
#include "coordinator/core/observe.hpp"

namespace penumbra::coordinator {

namespace {
using model::CommandState;

std::string subject_of(const CommandId& id) {
    return "command:" + id.text();
}

void move_to(Turn& turn, CommandRecord& record, CommandState state) {
    record.state = state;
    turn.keep(record);
}

/// Final ones are kept for listings, the oldest make room.
void prune(Fleet& fleet) {
    if (fleet.commands.size() <= 2 * limits::kCommandsListedMax) return;
    std::vector<std::pair<Fence, CommandId>> ended;
    for (const auto& [id, record] : fleet.commands) {
        if (model::is_final(record.state)) ended.emplace_back(record.command.fence, id);
    }
    if (ended.size() <= limits::kCommandsListedMax) return;
    std::ranges::sort(ended);
    ended.resize(ended.size() - limits::kCommandsListedMax);
    for (const auto& [fence, id] : ended)
        fleet.commands.erase(id);
}

void end(Turn& turn, Host& host, CommandRecord& record, CommandState state) {
    move_to(turn, record, state);
    host.open.erase(record.command.fence);
    turn.fleet.sent.erase(record.command.id);
    turn.tell(
        "command_" + std::string(model::to_string(state)), subject_of(record.command.id),
        fmt::format("{} on {}: {}", model::name_of(record.command.operation), host.record.host.text(), end_of(record)));
    const CommandRecord ended = record;  // what follows may prune it
    prune(turn.fleet);
    observe_outcome(turn, ended);
}

void to_unknown(Turn& turn, CommandRecord& record, std::string why) {
    record.report.message = std::move(why);
    move_to(turn, record, CommandState::kUnknown);
    turn.tell("command_UNKNOWN", subject_of(record.command.id), record.report.message);
}

/// A shadow of a group that has no generation can only fail on the host; said here, it says why.
bool lacks_its_group(const Fleet& fleet, const CommandRecord& record) {
    const auto* create = std::get_if<model::CreateShadow>(&record.command.operation);
    return create != nullptr && record.state == CommandState::kQueued && !fleet.groups.contains(create->shadow.group);
}

/// What became of the last replication of that group that was asked for before.
std::string why_no_generation(const Fleet& fleet, const CommandRecord& waiting) {
    const GroupId& group = std::get<model::CreateShadow>(waiting.command.operation).shadow.group;
    const CommandRecord* last = nullptr;
    for (const auto& [id, record] : fleet.commands) {
        const auto* replicate = std::get_if<model::ReplicateGroup>(&record.command.operation);
        if (replicate == nullptr || replicate->group != group || record.host != waiting.host) continue;
        if (!model::is_final(record.state) || record.command.fence > waiting.command.fence) continue;
        if (last == nullptr || record.command.fence > last->command.fence) last = &record;
    }
    if (last == nullptr) return fmt::format("group {} has no generation: see `penumbra replicate`", group.text());
    return fmt::format("group {} has no generation, its replication ended {}", group.text(), end_of(*last));
}

void send(Turn& turn, Host& host, CommandRecord& record) {
    model::Command command = record.command;
    command.epoch = turn.fleet.epoch;
    turn.fleet.sent[command.id] = turn.at.now;
    if (record.state == CommandState::kQueued) move_to(turn, record, CommandState::kSent);
    turn.send_after_commit(host, std::move(command));
}
}  // namespace

std::string end_of(const CommandRecord& record) {
    const std::string_view state = model::to_string(record.state);
    return record.report.message.empty() ? std::string(state) : fmt::format("{}: {}", state, record.report.message);
}

Result<CommandId> order(Turn& turn, Order order) {
    const auto host = turn.fleet.hosts.find(order.host);
    if (host == turn.fleet.hosts.end() || host->second.record.retired)
        return fail(ErrorCode::kNotFound, fmt::format("host '{}' is not enrolled", order.host.text()));
    if (host->second.open.size() >= limits::kCommandsOpenPerHostMax) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("host '{}' has {} commands waiting already: see `penumbra command list`",
                                order.host.text(), host->second.open.size()));
    }
    CommandRecord record{.command = {.id = CommandId(turn.new_name("c")),
                                     .epoch = turn.fleet.epoch,
                                     .resource = std::move(order.resource),
                                     .fence = turn.new_fence(),
                                     .time_to_accept = limits::kTimeToAccept,
                                     .operation = std::move(order.operation)},
                         .host = order.host,
                         .asked_by = std::move(order.asked_by),
                         .created = turn.at.wall};
    const CommandId id = record.command.id;
    host->second.open[record.command.fence] = id;
    turn.keep(record);
    turn.fleet.commands[id] = std::move(record);
    dispatch(turn, host->second);
    return id;
}

void dispatch(Turn& turn, Host& host) {
    if (!host.session.has_value()) return;
    std::set<ResourceId> taken;
    std::size_t in_flight = 0;
    const std::map<Fence, CommandId> open = host.open;  // one that is cancelled leaves it
    for (const auto& [fence, id] : open) {
        CommandRecord& record = turn.fleet.commands.at(id);
        if (in_flight == limits::kCommandsInFlightPerAgentMax) return;
        if (taken.contains(record.command.resource)) continue;  // an older one on it is open
        if (lacks_its_group(turn.fleet, record)) {
            record.report.message = why_no_generation(turn.fleet, record);
            end(turn, host, record, CommandState::kCancelled);
            continue;
        }
        taken.insert(record.command.resource);
        if (record.state != CommandState::kUnknown) ++in_flight;
        const auto sent = turn.fleet.sent.find(id);
        const bool stale =
            sent == turn.fleet.sent.end() || turn.at.now - sent->second >= limits::kCommandResendInterval;
        if (record.state == CommandState::kQueued || (record.state == CommandState::kSent && stale))
            send(turn, host, record);
        // Of what was ordered after a clean-up nothing may come before its end.
        if (std::holds_alternative<model::CleanHost>(record.command.operation)) return;
    }
}

void take_report(Turn& turn, Host& host, const model::CommandReport& report) {
    const auto found = turn.fleet.commands.find(report.command);
    const bool known = found != turn.fleet.commands.end() && found->second.host == host.record.host;
    if (!known) {
        // Of a life whose store is gone, or pruned here after it was acknowledged: the host may forget it either way.
        if (model::is_final(report.state)) turn.send_after_commit(host, model::ResultAck{report.command});
        return;
    }
    CommandRecord& record = found->second;
    const bool final_report = model::is_final(report.state);
    if (!model::is_final(record.state)) {
        if (report.rejection == model::Rejection::kStaleFence && final_report) {
            // Sent in the order of fences, it can only be stale if a life this store does not know of was obeyed.
            record.accepted = true;
            if (record.state != CommandState::kUnknown)
                to_unknown(turn, record, "the host has obeyed another coordinator: an operator must say what it did");
        } else if (final_report) {
            record.accepted = true;
            record.report = report;
            end(turn, host, record, report.state);
        } else {
            record.report = report;
            const bool moves = record.state != report.state &&
                               !(record.state == CommandState::kRunning && report.state == CommandState::kAccepted);
            record.accepted = true;
            if (moves) move_to(turn, record, report.state);
        }
    }
    if (final_report) turn.send_after_commit(host, model::ResultAck{report.command});
}

void reconcile(Turn& turn, Host& host, const model::Hello& hello) {
    std::set<CommandId> told;
    for (const model::CommandReport& report : hello.commands) {
        told.insert(report.command);
        take_report(turn, host, report);
    }
    std::vector<CommandId> open;
    for (const auto& [fence, id] : host.open)
        open.push_back(id);
    for (const CommandId& id : open) {
        const auto found = turn.fleet.commands.find(id);
        if (found == turn.fleet.commands.end() || told.contains(id)) continue;
        CommandRecord& record = found->second;
        if (model::is_final(record.state) || record.state == CommandState::kQueued) continue;
        turn.fleet.sent.erase(id);
        if (!record.accepted) {
            // Never on the host's disk, and nothing of an older session is taken any more: safe to send again.
            move_to(turn, record, CommandState::kQueued);
        } else if (record.state != CommandState::kUnknown) {
            to_unknown(turn, record,
                       "the host accepted it and no longer knows of it: an operator must say what it did");
        }
    }
}

void lose_contact(Turn& turn, Host& host) {
    for (const auto& [fence, id] : host.open) {
        CommandRecord& record = turn.fleet.commands.at(id);
        if (record.state == CommandState::kQueued || record.state == CommandState::kUnknown) continue;
        to_unknown(turn, record, fmt::format("host '{}' is silent; its report ends this", host.record.host.text()));
    }
}

Result<void> resolve(Turn& turn, const model::api::ResolveCommand& word, std::string_view user) {
    const auto found = turn.fleet.commands.find(word.command);
    if (found == turn.fleet.commands.end())
        return fail(ErrorCode::kNotFound, fmt::format("there is no command '{}'", word.command.text()));
    CommandRecord& record = found->second;
    if (record.state != CommandState::kUnknown) {
        return fail(ErrorCode::kConflict, fmt::format("command '{}' is {}: only UNKNOWN ones wait for an operator",
                                                      word.command.text(), model::to_string(record.state)));
    }
    if (word.state != CommandState::kSucceeded && word.state != CommandState::kFailed)
        return fail(ErrorCode::kInvalidArgument, "a command is resolved as SUCCEEDED or FAILED");
    record.report.message = fmt::format("{} said so", user);
    end(turn, turn.fleet.hosts.at(record.host), record, word.state);
    return {};
}

}  // namespace penumbra::coordinator
