#include "coordinator/core/contact.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"
#include "base/limits/link.hpp"
#include "coordinator/core/commands.hpp"
#include "coordinator/core/observe.hpp"

namespace penumbra::coordinator {

namespace {
using model::HostState;
using std::chrono::milliseconds;
using std::chrono::seconds;

void move_to(Turn& turn, Host& host, HostState state, std::string reason) {
    host.reason = std::move(reason);
    if (host.state == state) return;
    host.state = state;
    turn.tell("host_" + std::string(model::to_string(state)), "host:" + host.record.host.text(), host.reason);
}

void reset(Turn& turn, const HostId& to, const model::SessionId& session, std::string reason, milliseconds retry) {
    turn.at_once.emplace_back(Send{
        .host = to,
        .envelope = {.session = session, .body = model::Reset{.reason = std::move(reason), .retry_after = retry}}});
}

/// One breach of the protocol. Too many in a while, and the host is not listened to until it is enrolled anew.
void breach(Turn& turn, Host& host, const std::string& what) {
    if (turn.at.now - host.breaches_since > limits::kBreachWindow) {
        host.breaches_since = turn.at.now;
        host.breaches = 0;
    }
    turn.tell("protocol_breach", "host:" + host.record.host.text(), what);
    if (++host.breaches < limits::kBreachesMax) return;
    host.session.reset();
    move_to(turn, host, HostState::kQuarantined, what + "; enrol it anew to let it back");
    lose_contact(turn, host);
}

void healthy(Turn& turn, Host& host) {
    host.heard = turn.at.now;
    if (host.troubles.empty()) {
        move_to(turn, host, HostState::kOnline, "in contact");
    } else {
        move_to(turn, host, HostState::kDegraded, host.troubles.front());
    }
}

void send_welcome(Turn& turn, Host& host) {
    turn.send_at_once(host, model::Welcome{.session = *host.session,
                                           .answers = host.hello,
                                           .heartbeat_interval = limits::kHeartbeatInterval,
                                           .reconnect_spread = reconnect_spread(turn.fleet),
                                           .credit = limits::kCommandsInFlightPerAgentMax});
}

void take_hello(Turn& turn, Host& host, const model::Hello& hello, std::uint64_t number_of_hello) {
#ifndef PENUMBRA_MUTATE_EPOCH
    if (hello.epoch_max_seen > turn.fleet.epoch) {
        turn.fleet.stepped_down = true;
        turn.at_once.emplace_back(StepDown{hello.epoch_max_seen});
        return;
    }
#endif
    if (host.session.has_value() && hello.instance == host.instance) {
        if (number_of_hello < host.hello) return;  // overtaken by a later one of the same agent
        if (number_of_hello == host.hello) return send_welcome(turn, host);
    }
    if (hello.fence_max_seen > turn.fleet.counters.fence) {
        turn.tell("fences_raised", "host:" + host.record.host.text(),
                  "this host has seen later fences than the store: was the store restored from a backup?");
        turn.fleet.counters.fence = hello.fence_max_seen;
    }
    host.session = model::SessionId{.epoch = turn.fleet.epoch, .counter = ++turn.fleet.session_counter};
    host.sequence = 0;
    host.instance = hello.instance;
    host.hello = number_of_hello;
    host.facts_version = host.shadows_version = host.effects_version = 0;
    host.kpi_refused = false;
    host.troubles.clear();
    host.hints.clear();
    const HostRecord before = host.record;
    host.record.ever_seen = true;
    host.record.agent_version = hello.agent_version;
    // An agent that just started says hello before it has looked around: its host still has its VMs.
    if (hello.facts != model::HostFacts{}) host.record.facts = hello.facts;
    if (host.record != before) turn.keep(host.record);
    healthy(turn, host);
    send_welcome(turn, host);
    reconcile(turn, host, hello);
    dispatch(turn, host);
}

/// What a host in session says.
struct Take {
    Turn& turn;
    Host& host;

    void operator()(const model::Heartbeat& beat) const {
        host.troubles = beat.troubles;
        host.hints = beat.hints;
        healthy(turn, host);
        turn.send_at_once(host, model::HeartbeatAck{.echo_ms = beat.sent_ms,
                                                    .state_seen = std::min({host.facts_version, host.shadows_version,
                                                                            host.effects_version})});
        dispatch(turn, host);
    }
    void operator()(const model::CommandReport& report) const {
        take_report(turn, host, report);
        dispatch(turn, host);
    }
    void operator()(const model::FactsReport& report) const { observe(turn, host, report); }
    void operator()(const model::ShadowReport& report) const { observe(turn, host, report); }
    void operator()(const model::EffectReport& report) const { observe(turn, host, report); }
    void operator()(const model::KpiReport& report) const { observe(turn, host, report); }
    void operator()(const model::Goodbye& goodbye) const {
        host.session.reset();
        move_to(turn, host, HostState::kSuspect, "its agent said goodbye: " + goodbye.reason);
    }
    void operator()(const model::Hello&) const { out_of_place(); }
    void operator()(const model::Welcome&) const { out_of_place(); }
    void operator()(const model::HeartbeatAck&) const { out_of_place(); }
    void operator()(const model::Reset&) const { out_of_place(); }
    void operator()(const model::ResultAck&) const { out_of_place(); }
    void operator()(const model::KpiAck&) const { out_of_place(); }
    void operator()(const model::Command&) const { out_of_place(); }

    void out_of_place() const { breach(turn, host, "it sent a message only a coordinator may send"); }
};

bool waits(const Host& host) {
    switch (host.state) {
        case HostState::kUnverified:
        case HostState::kOnline:
        case HostState::kDegraded:
        case HostState::kSuspect:
            return true;
        case HostState::kPending:
        case HostState::kUnreachable:
        case HostState::kQuarantined:
        case HostState::kRetired:
            return false;
    }
    return false;
}

void watch_host(Turn& turn, Host& host) {
    const auto silent = turn.at.now - host.heard;
    if (host.state == HostState::kUnverified) {
        if (silent >= reconnect_spread(turn.fleet) + limits::kContactUnreachable) {
            move_to(turn, host, HostState::kUnreachable, "not heard of since the coordinator started");
            lose_contact(turn, host);
        }
        return;
    }
    if (silent >= limits::kContactUnreachable && host.state == HostState::kSuspect && !turn.fleet.mass_brake) {
        host.session.reset();
        move_to(turn, host, HostState::kUnreachable,
                fmt::format("silent for more than {} s", seconds(limits::kContactUnreachable).count()));
        lose_contact(turn, host);
    } else if (silent >= limits::kHeartbeatInterval * limits::kHeartbeatsMissedSuspect &&
               host.state != HostState::kSuspect) {
        move_to(turn, host, HostState::kSuspect,
                fmt::format("{} heartbeats are missing", limits::kHeartbeatsMissedSuspect));
    }
}

void brake(Turn& turn) {
    Fleet& fleet = turn.fleet;
    const auto suspects = static_cast<std::size_t>(
        std::ranges::count_if(fleet.hosts, [](const auto& item) { return item.second.state == HostState::kSuspect; }));
    const auto share = static_cast<std::size_t>(limits::kMassBrakeShare * static_cast<double>(fleet.hosts.size()));
    const bool many = suspects > std::max(limits::kMassBrakeHostsMin, share);
    if (many == fleet.mass_brake) return;
    fleet.mass_brake = many;
    turn.tell(many ? "mass_brake_on" : "mass_brake_off", "fleet",
              many ? fmt::format("{} hosts fell silent together: none is called unreachable until it is clear whose "
                                 "fault it is; look at this coordinator's network first",
                                 suspects)
                   : "few hosts are silent: the usual rules hold again");
}

}  // namespace

milliseconds reconnect_spread(const Fleet& fleet) {
    const auto by_size = limits::kReconnectSpreadPerHost * static_cast<std::int64_t>(fleet.hosts.size());
    return std::max<milliseconds>(limits::kReconnectSpreadMin, by_size);
}

void receive(Turn& turn, const HostId& from, const model::Envelope& envelope) {
    if (turn.fleet.stepped_down) return;
    const auto found = turn.fleet.hosts.find(from);
    if (found == turn.fleet.hosts.end() || found->second.record.retired) {
        reset(turn, from, envelope.session, "this host is not enrolled here", limits::kRefusedRetry);
        return;
    }
    Host& host = found->second;
    if (host.state == HostState::kQuarantined) {
        reset(turn, from, envelope.session, "this host is quarantined here", limits::kRefusedRetry);
        return;
    }
    if (const auto* hello = std::get_if<model::Hello>(&envelope.body)) {
        if (hello->host != from) {
            breach(turn, host, fmt::format("it claims to be '{}'", hello->host.text()));
            reset(turn, from, envelope.session, "its key is not of the host it claims to be", limits::kRefusedRetry);
            return;
        }
        return take_hello(turn, host, *hello, envelope.sequence);
    }
#ifndef PENUMBRA_MUTATE_RESET
    if (host.session != envelope.session) {
        reset(turn, from, envelope.session, "this session is over", milliseconds(0));
        return;
    }
#endif
    std::visit(Take{turn, host}, envelope.body);
}

void receive_garbage(Turn& turn, const HostId& from, std::string_view what) {
    const auto found = turn.fleet.hosts.find(from);
    if (found == turn.fleet.hosts.end() || found->second.record.retired) return;
    if (found->second.state == HostState::kQuarantined) return;
    breach(turn, found->second, fmt::format("it sent what cannot be decoded: {}", what));
}

void watch(Turn& turn) {
    Fleet& fleet = turn.fleet;
    const auto slept = turn.at.now - fleet.last_tick;
    const bool stalled = slept > limits::kOwnStall;
    fleet.last_tick = turn.at.now;
    for (auto& [id, host] : fleet.hosts) {
        if (stalled) host.heard += slept;
        if (waits(host)) watch_host(turn, host);
        dispatch(turn, host);
    }
    brake(turn);
}

}  // namespace penumbra::coordinator
