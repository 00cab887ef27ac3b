#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "proto/model/api.hpp"
#include "proto/model/command.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/replica.hpp"
#include "proto/model/rollout.hpp"
#include "proto/model/shadow.hpp"
#include "proto/model/trial.hpp"

/// What the coordinator's core remembers: plain values the store writes as rows. A record is written over the one with
/// the same key; one batch is one transaction.
namespace penumbra::coordinator {

struct HostRecord {  ///< key: host
    HostId host;
    bool retired = false;
    bool ever_seen = false;
    std::string agent_version;
    model::HostFacts facts;  ///< as last reported: a host that is down still lists its VMs
    friend bool operator==(const HostRecord&, const HostRecord&) = default;
};

struct CommandRecord {       ///< key: command.id
    model::Command command;  ///< epoch: of the life that made it; it is sent with the epoch of the life that sends it
    HostId host;
    model::CommandState state = model::CommandState::kQueued;
    bool accepted = false;        ///< the agent said it was accepted: only its report may end it
    model::CommandReport report;  ///< the last one
    std::string asked_by;         ///< "user:NAME", "trial:NAME", "rollout:NAME"
    WallTime created{};
    friend bool operator==(const CommandRecord&, const CommandRecord&) = default;
};

struct GroupRecord {  ///< key: group
    GroupId group;
    HostId host;
    std::vector<VmId> vms;
    std::vector<model::Generation> generations;  ///< oldest first, at most kGenerationsListedMax
    friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

struct ShadowRecord {  ///< key: status.spec.shadow
    HostId host;
    bool gone = false;  ///< destroyed: kept for the report, not listed
    model::ShadowStatus status;
    std::vector<model::IsolationReport> isolation;  ///< the latest of each arm
    friend bool operator==(const ShadowRecord&, const ShadowRecord&) = default;
};

struct TrialRecord {  ///< key: status.spec.trial
    model::TrialStatus status;
    CommandId pending;      ///< the command whose end the state waits for; empty: none
    EffectId effect;        ///< of the treated arm, once asked for
    RolloutId rollout;      ///< empty: asked for by a person
    model::TrialSpan span;  ///< the windows the state waits for, on the host's clock
    std::string asked_by;
    friend bool operator==(const TrialRecord&, const TrialRecord&) = default;
};

struct RolloutRecord {  ///< key: status.spec.rollout
    model::RolloutStatus status;
    CommandId pending;
    EffectId drill_effect;
    HostId shadow_host;
    WallTime verify_from{};  ///< on the production host's clock: when the wave stood
    std::string why;         ///< of the outcome, once it is known
    std::string asked_by;
    friend bool operator==(const RolloutRecord&, const RolloutRecord&) = default;
};

struct RequestRecord {  ///< key: reply.request_id
    std::string user;
    model::api::Reply reply;
    friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};

struct EventRecord {  ///< key: event.sequence; appended
    model::EventView event;
    friend bool operator==(const EventRecord&, const EventRecord&) = default;
};

struct KpiRecord {  ///< key: window.vantage, window.sequence; appended
    model::KpiWindow window;
    friend bool operator==(const KpiRecord&, const KpiRecord&) = default;
};

/// Numbers that only grow: the last one given out of each.
struct Counters {  ///< one row
    Fence fence{};
    std::uint64_t name = 0;  ///< in command and effect ids
    std::uint64_t event = 0;
    friend bool operator==(const Counters&, const Counters&) = default;
};

using Record = std::variant<HostRecord, CommandRecord, GroupRecord, ShadowRecord, TrialRecord, RolloutRecord,
                            RequestRecord, EventRecord, KpiRecord, Counters>;

/// Everything of one step that must be durable together. Batches are committed in the order of their numbers.
struct Batch {
    std::uint64_t number = 0;
    std::vector<Record> records;
};

/// What a starting coordinator reads back. Its epoch was raised and committed before this was read.
struct Image {
    Epoch epoch{};
    Counters counters;
    std::vector<HostRecord> hosts;
    std::vector<CommandRecord> commands;  ///< all that are not final, and the latest kCommandsListedMax final ones
    std::vector<GroupRecord> groups;
    std::vector<ShadowRecord> shadows;  ///< not gone
    std::vector<TrialRecord> trials;    ///< all that have not ended, and the latest kTrialsListedMax others
    std::vector<RolloutRecord> rollouts;
    std::vector<RequestRecord> requests;  ///< the latest kRequestsRememberedMax, oldest first
    std::vector<KpiRecord> windows;       ///< of each vantage the latest kKpiWindowsPerVantageMax, in order of sequence
};

}  // namespace penumbra::coordinator
