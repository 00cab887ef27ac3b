#include "coordinator/core/coordinator_core.hpp"

#include <algorithm>
#include <iterator>
#include <variant>

#include "coordinator/core/contact.hpp"
#include "coordinator/core/requests.hpp"
#include "coordinator/core/rollout_machine.hpp"
#include "coordinator/core/trial_machine.hpp"
#include "coordinator/core/turn.hpp"

namespace penumbra::coordinator {

CoordinatorCore::CoordinatorCore(Image image, Instant now) {
    fleet_.epoch = image.epoch;
    fleet_.counters = image.counters;
    fleet_.last_tick = now;
    for (HostRecord& record : image.hosts) {
        Host& host = fleet_.hosts[record.host];
        host.heard = now;
        host.state = record.retired     ? model::HostState::kRetired
                     : record.ever_seen ? model::HostState::kUnverified
                                        : model::HostState::kPending;
        host.reason =
            record.ever_seen ? "the coordinator started and has not heard of it yet" : "enrolled, never heard of";
        host.record = std::move(record);
    }
    for (CommandRecord& record : image.commands) {
        if (!model::is_final(record.state)) fleet_.hosts[record.host].open[record.command.fence] = record.command.id;
        fleet_.commands[record.command.id] = std::move(record);
    }
    for (GroupRecord& record : image.groups)
        fleet_.groups[record.group] = std::move(record);
    for (ShadowRecord& record : image.shadows)
        fleet_.shadows[record.status.spec.shadow] = std::move(record);
    for (TrialRecord& record : image.trials)
        fleet_.trials[record.status.spec.trial] = std::move(record);
    for (RolloutRecord& record : image.rollouts)
        fleet_.rollouts[record.status.spec.rollout] = std::move(record);
    for (RequestRecord& record : image.requests) {
        fleet_.requests_by_age.push_back(record.reply.request_id);
        fleet_.requests[record.reply.request_id] = std::move(record);
    }
    for (KpiRecord& record : image.windows)
        fleet_.kpi.add(std::move(record.window));
}

Actions CoordinatorCore::step(const Event& event, Moment at, Random& random) {
    Actions actions;
    if (const auto* committed = std::get_if<Committed>(&event)) {
        committed_ = std::max(committed_, committed->batch);
        release(actions);
        return actions;
    }
    Turn turn{.fleet = fleet_, .at = at, .random = random};
    const Counters before = fleet_.counters;
    if (std::holds_alternative<Tick>(event)) watch(turn);
    if (const auto* received = std::get_if<Received>(&event)) receive(turn, received->host, received->envelope);
    if (const auto* garbled = std::get_if<Garbled>(&event)) receive_garbage(turn, garbled->host, garbled->what);
    if (const auto* asked = std::get_if<Asked>(&event)) take_request(turn, *asked);
    // What a trial or rollout waits for comes as a record, a request or time; a heartbeat moves none.
    if (!turn.records.empty() || std::holds_alternative<Tick>(event)) {
        advance_trials(turn);
        advance_rollouts(turn);
    }
    if (fleet_.counters != before) turn.keep(fleet_.counters);
    if (!turn.records.empty()) actions.emplace_back(Persist{{.number = ++batch_, .records = std::move(turn.records)}});
    std::ranges::move(turn.at_once, std::back_inserter(actions));
    for (Action& action : turn.after_commit)
        held_.emplace_back(batch_, std::move(action));
    release(actions);
    return actions;
}

void CoordinatorCore::release(Actions& into) {
#ifdef PENUMBRA_MUTATE_OUTBOX
    committed_ = batch_;
#endif
    while (!held_.empty() && held_.front().first <= committed_) {
        into.push_back(std::move(held_.front().second));
        held_.pop_front();
    }
}

}  // namespace penumbra::coordinator
