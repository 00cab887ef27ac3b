#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "proto/model/command.hpp"
#include "proto/model/effect.hpp"
#include "proto/model/host.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/shadow.hpp"

/// What travels between one agent and the coordinator (design D15). Plain values; proto/codec puts them on the wire.
namespace penumbra::model {

/// One conversation of one agent with one coordinator life. Any message of another session is answered by Reset.
struct SessionId {
    Epoch epoch{};
    std::uint64_t counter = 0;
    friend auto operator<=>(const SessionId&, const SessionId&) = default;
};

// ---- agent -> coordinator
struct Hello {
    HostId host;
    std::string agent_version;
    std::uint32_t protocol_min = 1;
    std::uint32_t protocol_max = 1;
    std::string boot_id;
    std::string instance;    ///< new at every start of the agent process
    Fence fence_max_seen{};  ///< highest it ever took; a coordinator restored from a backup goes on above it
    Epoch epoch_max_seen{};  ///< highest it ever served; a coordinator that is lower must step down
    HostFacts facts;
    std::vector<CommandReport> commands;  ///< all it knows of that no result acknowledgement came for
    friend bool operator==(const Hello&, const Hello&) = default;
};
struct Heartbeat {
    std::uint64_t sent_ms = 0;  ///< agent's boot clock; echoed
    std::uint32_t loop_lag_ms = 0;
    std::uint64_t state_version = 0;    ///< of what the reports below say; grows at every change
    std::vector<std::string> troubles;  ///< "libvirtd does not answer": why a host is DEGRADED
    std::vector<std::string> hints;     ///< what is not wrong, but will be refused or missed: "no VM may take part"
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
struct FactsReport {
    std::uint64_t version = 0;
    HostFacts facts;
    friend bool operator==(const FactsReport&, const FactsReport&) = default;
};
struct KpiReport {
    std::vector<KpiWindow> windows;  ///< sent again until acknowledged
    friend bool operator==(const KpiReport&, const KpiReport&) = default;
};
struct EffectReport {
    std::uint64_t version = 0;
    std::vector<EffectStatus> effects;  ///< all that stand, and those that ended since the coordinator last saw them
    friend bool operator==(const EffectReport&, const EffectReport&) = default;
};
struct ShadowReport {
    std::uint64_t version = 0;
    std::vector<ShadowStatus> shadows;  ///< all on this host
    friend bool operator==(const ShadowReport&, const ShadowReport&) = default;
};
struct Goodbye {
    std::string reason;
    friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

// ---- coordinator -> agent
struct Welcome {
    SessionId session;
    std::uint64_t answers = 0;  ///< Envelope::sequence of the Hello it answers; the agent drops any other
    std::chrono::milliseconds heartbeat_interval{0};
    std::chrono::milliseconds reconnect_spread{0};  ///< a reconnecting agent waits a uniform share of it first
    std::uint32_t credit = 0;                       ///< commands in flight at once
    friend bool operator==(const Welcome&, const Welcome&) = default;
};
struct HeartbeatAck {
    std::uint64_t echo_ms = 0;
    std::uint64_t state_seen = 0;  ///< lowest version of the three reports that has come; the agent sends again if less
    friend bool operator==(const HeartbeatAck&, const HeartbeatAck&) = default;
};
struct Reset {
    std::string reason;
    std::chrono::milliseconds retry_after{0};
    friend bool operator==(const Reset&, const Reset&) = default;
};
struct ResultAck {
    CommandId command;  ///< its result is committed in the store; the agent may forget it
    friend bool operator==(const ResultAck&, const ResultAck&) = default;
};
struct KpiAck {
    std::vector<std::pair<Vantage, std::uint64_t>> committed_up_to;
    friend bool operator==(const KpiAck&, const KpiAck&) = default;
};

using Body = std::variant<Hello, Heartbeat, FactsReport, KpiReport, EffectReport, Goodbye, CommandReport, Welcome,
                          HeartbeatAck, Reset, ResultAck, KpiAck, Command, ShadowReport>;

/// The one message of the fleet link.
struct Envelope {
    std::uint32_t protocol = 1;
    SessionId session;           ///< {0,0} in Hello
    std::uint64_t sequence = 0;  ///< per session and direction, from 1; of Hello: per agent process
    Body body;
    friend bool operator==(const Envelope&, const Envelope&) = default;
};

}  // namespace penumbra::model
