#include "agent/core/agent_core.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "agent/core/ceiling.hpp"
#include "base/limits/agent.hpp"
#include "base/limits/link.hpp"
#include "proto/model/resource.hpp"

namespace penumbra::agent {

namespace {
using model::CommandState;
using model::Rejection;
using Phase = CommandLedger::Phase;

template <class Status, class Key>
void put(std::vector<Status>& all, const Status& status, Key key) {
    const auto found = std::ranges::find(all, std::invoke(key, status), key);
    if (found == all.end()) {
        all.push_back(status);
    } else {
        *found = status;
    }
}

/// As many as a heartbeat may have; the last one says how many there are beside them.
std::vector<std::string> shortened(std::vector<std::string> sentences) {
    if (sentences.size() <= limits::kTroublesMax) return sentences;
    const std::size_t left_out = sentences.size() - limits::kTroublesMax + 1;
    sentences.resize(limits::kTroublesMax - 1);
    sentences.push_back(fmt::format("{} more: journalctl -u penumbra-agent lists them on the host", left_out));
    return sentences;
}
}  // namespace

AgentCore::AgentCore(Identity identity, const JournalImage& image, Instant now, Random& random)
    : identity_(std::move(identity)),
      contact_(image.epoch, now, random),
      ledger_(image, model::whole_host(identity_.host)) {}

Actions AgentCore::step(const Event& event, Instant now, Random& random) {
    now_ = now;
    random_ = &random;
    actions_.clear();
    if (!std::exchange(recovered_, true)) {
        for (const auto& [id, entry] : ledger_.entries()) {
            if (entry.phase == Phase::kRunning) actions_.emplace_back(Recover{entry.command});
        }
    }
    std::visit([this](const auto& happened) { on(happened); }, event);
    act();
    random_ = nullptr;
    return std::exchange(actions_, {});
}

// ---- time

void AgentCore::act() {
    while (true) {
        switch (contact_.due(now_, *random_)) {
            case Contact::Due::kNothing:
                if (contact_.next_wake() > now_) return;
                break;  // it changed its mind about what to wait for: ask again
            case Contact::Due::kReconnect:
                actions_.emplace_back(Reconnect{});
                hello();
                break;
            case Contact::Due::kHello:
                hello();
                break;
            case Contact::Due::kHeartbeat:
                heartbeat();
                break;
        }
    }
}

void AgentCore::on(const Tick&) {}

void AgentCore::hello() {
    model::Hello hello{.host = identity_.host,
                       .agent_version = identity_.agent_version,
                       .boot_id = identity_.boot_id,
                       .instance = identity_.instance,
                       .fence_max_seen = ledger_.fence_max_seen(),
                       .epoch_max_seen = contact_.epoch(),
                       .facts = facts_};
    for (const auto& [id, entry] : ledger_.entries()) {
        // What is not on disk yet may never have been: it is reported once it is.
        if (entry.phase != Phase::kJournalling) hello.commands.push_back(entry.report);
    }
    actions_.emplace_back(Send{{.session = {}, .sequence = contact_.next_hello(), .body = std::move(hello)}});
}

void AgentCore::heartbeat() {
    send(model::Heartbeat{.sent_ms = static_cast<std::uint64_t>(
                              std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count()),
                          .loop_lag_ms = loop_lag_ms_,
                          .state_version = state_version_,
                          .troubles = troubles_,
                          .hints = hints_});
    std::vector<CommandId> again;
    for (const auto& [id, entry] : ledger_.entries()) {
        if (entry.phase == Phase::kFinal && now_ - entry.reported >= 2 * contact_.heartbeat_interval())
            again.push_back(id);
    }
    for (const CommandId& id : again)
        send_report(*ledger_.find(id));
    send_kpi();
}

// ---- sending

void AgentCore::send(model::Body body) {
    if (!contact_.in_session()) return;
    actions_.emplace_back(
        Send{{.session = contact_.session(), .sequence = contact_.next_sequence(), .body = std::move(body)}});
}

void AgentCore::send_report(CommandLedger::Entry& entry) {
    entry.reported = now_;
    send(entry.report);
}

void AgentCore::send_state() {
    send(model::FactsReport{.version = state_version_, .facts = facts_});
    // Before the first look "none" would be taken for the truth.
    if (shadows_seen_) send(model::ShadowReport{.version = state_version_, .shadows = shadows_});
    if (effects_seen_) send(model::EffectReport{.version = state_version_, .effects = effects_});
}

void AgentCore::send_kpi() {
    if (!contact_.in_session()) return;
    if (auto report = kpi_.next(now_, 2 * contact_.heartbeat_interval())) send(std::move(*report));
}

std::uint64_t AgentCore::journal(JournalRecord record) {
    actions_.emplace_back(Journal{.number = ++journal_number_, .record = std::move(record)});
    return journal_number_;
}

void AgentCore::note(std::string kind, std::string message) {
    actions_.emplace_back(Note{.kind = std::move(kind), .message = std::move(message)});
}

// ---- what the coordinator says

void AgentCore::on(const Received& event) {
    const model::Envelope& envelope = event.envelope;
    if (const auto* welcome = std::get_if<model::Welcome>(&envelope.body)) return take(*welcome);
    if (const auto* reset = std::get_if<model::Reset>(&envelope.body)) return take(*reset, envelope.session);
    if (!contact_.in_session(envelope.session)) return;  // of a conversation that is over
    if (const auto* command = std::get_if<model::Command>(&envelope.body)) return take(*command);
    if (const auto* ack = std::get_if<model::HeartbeatAck>(&envelope.body)) return take(*ack);
    if (const auto* ack = std::get_if<model::ResultAck>(&envelope.body)) return take(*ack);
    if (const auto* ack = std::get_if<model::KpiAck>(&envelope.body)) return take(*ack);
    note("unexpected_message", "the coordinator sent a message only an agent may send; it was dropped");
}

void AgentCore::take(const model::Welcome& welcome) {
    const Epoch before = contact_.epoch();
    if (!contact_.welcome(welcome, now_)) {
        if (welcome.session.epoch < before) {
            note("stale_epoch", fmt::format("a coordinator of epoch {} was refused: this host has served epoch {}",
                                            number(welcome.session.epoch), number(before)));
        }
        return;
    }
    if (contact_.epoch() > before) journal(EpochSeen{contact_.epoch()});
    kpi_.restart();
    send_state();
}

void AgentCore::take(const model::Reset& reset, const model::SessionId& session) {
    if (contact_.reset(session, reset.retry_after, now_, *random_))
        note("reset", fmt::format("the coordinator ended the session: {}", reset.reason));
}

void AgentCore::take(const model::HeartbeatAck& ack) {
    contact_.acknowledged(now_);
    if (ack.state_seen < state_version_) send_state();
}

void AgentCore::take(const model::ResultAck& ack) {
    const CommandLedger::Entry* entry = ledger_.find(ack.command);
    if (entry == nullptr || entry->phase != Phase::kFinal) return;
    if (entry->on_disk) journal(CommandForgotten{ack.command});
    ledger_.forget(ack.command);
}

void AgentCore::take(const model::KpiAck& ack) {
    for (const auto& [vantage, up_to] : ack.committed_up_to) {
        kpi_.acknowledge(vantage, up_to);
        actions_.emplace_back(ReleaseKpi{.vantage = vantage, .up_to = up_to});
    }
    send_kpi();
}

void AgentCore::take(const model::Command& command) {
#ifndef PENUMBRA_MUTATE_DEDUPE
    if (CommandLedger::Entry* known = ledger_.find(command.id)) {
        if (known->phase != Phase::kJournalling) send_report(*known);
        return;
    }
#endif
    if (ledger_.full()) return;  // nothing of it is remembered, so it will come again
#ifndef PENUMBRA_MUTATE_EPOCH
    if (command.epoch < contact_.epoch()) {
        return refuse(command, Rejection::kStaleEpoch,
                      fmt::format("it is of epoch {} and this host has served epoch {}", number(command.epoch),
                                  number(contact_.epoch())));
    }
#endif
    if (!ledger_.admits(command.resource, command.fence)) {
        return refuse(command, Rejection::kStaleFence,
                      fmt::format("something newer than fence {} was done to '{}'", number(command.fence),
                                  command.resource.text()));
    }
    if (ledger_.in_flight() >= limits::kCommandsInFlightPerAgentMax || ledger_.busy(command.resource)) {
        return refuse(command, Rejection::kBusy,
                      fmt::format("'{}', or this host, is busy with another command", command.resource.text()));
    }
    if (puts_on_host(command.operation)) {
        if (ledger_.cleaned_since(command.fence)) {
            return refuse(command, Rejection::kPrecondition,
                          "this host was cleaned after that was ordered: order it again if it is still wanted");
        }
        if (ledger_.cleaning())
            return refuse(command, Rejection::kBusy, "this host is being cleaned: order it again when that has ended");
    }
    if (auto refusal = refusal_of(command.operation,
                                  {.policy = policy_, .facts = facts_, .shadows = shadows_, .effects = effects_})) {
        return refuse(command, refusal->rejection, std::move(refusal->message));
    }
    CommandLedger::Entry& entry = ledger_.accept(command, now_);
    entry.journal = journal(CommandAccepted{command});
    if (auto forgotten = ledger_.make_room()) journal(std::move(*forgotten));
}

void AgentCore::refuse(const model::Command& command, Rejection rejection, std::string message) {
    note("command_refused", fmt::format("{} {}: {}", model::name_of(command.operation), command.id.text(), message));
    send_report(
        ledger_.refuse(command,
                       {.command = command.id,
                        .state = rejection == Rejection::kExpired ? CommandState::kExpired : CommandState::kRejected,
                        .rejection = rejection,
                        .error_code = ErrorCode::kPermissionDenied,
                        .message = std::move(message)},
                       now_));
}

// ---- what the host says

void AgentCore::on(const Journalled& event) {
    std::vector<CommandId> ready;
    for (const auto& [id, entry] : ledger_.entries()) {
        const bool waits = entry.phase == Phase::kJournalling || entry.phase == Phase::kFinishing;
        if (waits && entry.journal <= event.number) ready.push_back(id);
    }
    for (const CommandId& id : ready) {
        CommandLedger::Entry& entry = *ledger_.find(id);
        if (entry.phase == Phase::kJournalling) {
            accepted(entry);
        } else {
            entry.phase = Phase::kFinal;
            send_report(entry);
        }
    }
}

void AgentCore::accepted(CommandLedger::Entry& entry) {
    const auto allowed = entry.command.time_to_accept;
    if (allowed.count() > 0 && now_ - entry.received > allowed) {
        // On disk it is accepted: its end must be too, or a restart would go looking for what was never begun.
        entry.report = {.command = entry.command.id,
                        .state = CommandState::kExpired,
                        .rejection = Rejection::kExpired,
                        .error_code = ErrorCode::kDeadlineExceeded,
                        .message = "this host could not write it down in time"};
        entry.phase = Phase::kFinishing;
        entry.journal = journal(CommandFinished{entry.report});
        return;
    }
    entry.phase = Phase::kRunning;
    send_report(entry);
    actions_.emplace_back(Execute{entry.command});
}

void AgentCore::on(const WorkerReported& event) {
    CommandLedger::Entry* entry = ledger_.find(event.report.command);
    if (entry == nullptr || entry->phase != Phase::kRunning) return;
    entry->report = event.report;
    if (!model::is_final(event.report.state)) return send_report(*entry);
    // The next command may stand on this one's outcome before the next observation comes.
    if (const auto* effect = std::get_if<model::EffectStatus>(&event.report.outcome)) {
        put(effects_, *effect, &model::EffectStatus::id);
        observed();
    }
    if (const auto* shadow = std::get_if<model::ShadowStatus>(&event.report.outcome)) {
        put(shadows_, *shadow, [](const model::ShadowStatus& status) { return status.spec.shadow; });
        observed();
    }
    entry->phase = Phase::kFinishing;
    entry->journal = journal(CommandFinished{event.report});
}

void AgentCore::observed() {
    ++state_version_;
    send_state();
}

void AgentCore::on(const FactsObserved& event) {
    if (event.facts == facts_) return;
    facts_ = event.facts;
    observed();
}

void AgentCore::on(const EffectsObserved& event) {
    if (std::exchange(effects_seen_, true) && event.effects == effects_) return;
    effects_ = event.effects;
    observed();
}

void AgentCore::on(const ShadowsObserved& event) {
    if (std::exchange(shadows_seen_, true) && event.shadows == shadows_) return;
    shadows_ = event.shadows;
    observed();
}

void AgentCore::on(const HealthObserved& event) {
    troubles_ = shortened(event.troubles);
    hints_ = shortened(event.hints);
    loop_lag_ms_ = event.loop_lag_ms;
}

void AgentCore::on(const KpiMeasured& event) {
    if (!kpi_.add(event.window)) {
        actions_.emplace_back(
            ReleaseKpi{.vantage = event.window.vantage, .up_to = kpi_.acknowledged(event.window.vantage)});
        return;
    }
    send_kpi();
}

void AgentCore::on(const PolicyRead& event) {
    policy_ = event.policy;
}

void AgentCore::on(const Stopping& event) {
    send(model::Goodbye{.reason = event.reason});
}

}  // namespace penumbra::agent
