#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "coordinator/core/kpi_series.hpp"
#include "coordinator/core/records.hpp"
#include "proto/model/session.hpp"

namespace penumbra::coordinator {

/// One host as the coordinator sees it now. Contact is never persisted: it is found out again.
struct Host {
    HostRecord record;
    model::HostState state = model::HostState::kPending;
    std::string reason;
    std::optional<model::SessionId> session;
    std::string instance;     ///< of the Hello that made the session
    std::uint64_t hello = 0;  ///< its number
    std::uint64_t sequence = 0;
    Instant heard{};  ///< or since when it is waited for
    std::uint64_t facts_version = 0;
    std::uint64_t shadows_version = 0;
    std::uint64_t effects_version = 0;
    std::vector<model::EffectStatus> effects;
    std::vector<std::string> troubles;
    std::vector<std::string> hints;
    std::uint32_t breaches = 0;  ///< of the protocol, since breaches_since
    Instant breaches_since{};
    bool kpi_refused = false;         ///< told once a session
    std::map<Fence, CommandId> open;  ///< commands that are not final, oldest first
};

/// Everything the core knows. Only core/*.cpp change it, through a Turn.
struct Fleet {
    Epoch epoch{};
    std::uint64_t session_counter = 0;
    Counters counters;
    std::map<HostId, Host> hosts;
    std::map<CommandId, CommandRecord> commands;
    std::map<CommandId, Instant> sent;  ///< when a command was last sent in this life
    std::map<GroupId, GroupRecord> groups;
    std::map<ShadowId, ShadowRecord> shadows;
    std::map<TrialId, TrialRecord> trials;
    std::map<RolloutId, RolloutRecord> rollouts;
    std::map<std::string, RequestRecord> requests;
    std::deque<std::string> requests_by_age;  ///< oldest first: that one makes room
    KpiSeries kpi;
    std::map<std::string, Instant> waiting_since;  ///< by trial or rollout; of this life only
    bool mass_brake = false;
    bool stepped_down = false;
    Instant last_tick{};
};

/// The host a VM, or a group of one, is on, by name or UUID, as hosts last reported; nothing: no host says so.
[[nodiscard]] const Host* host_of(const Fleet& fleet, std::string_view vm);

}  // namespace penumbra::coordinator
