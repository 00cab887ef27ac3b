#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/model/command.hpp"
#include "proto/model/host.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/replica.hpp"
#include "proto/model/rollout.hpp"
#include "proto/model/shadow.hpp"
#include "proto/model/trial.hpp"

namespace penumbra::model {

/// Where contact with one host stands, as the coordinator sees it. docs/glossary says what each means.
enum class HostState : unsigned char {
    kPending,     ///< enrolled, never heard of
    kUnverified,  ///< the coordinator started and has not heard of it yet
    kOnline,
    kDegraded,     ///< online, and it says what is broken there
    kSuspect,      ///< missed heartbeats
    kUnreachable,  ///< silent for kContactUnreachable; its commands in flight are UNKNOWN
    kQuarantined,  ///< broke the protocol too often; an operator lets it back
    kRetired
};
[[nodiscard]] std::string_view to_string(HostState state) noexcept;

struct HostView {
    HostId host;
    HostState state = HostState::kPending;
    std::string reason;  ///< one sentence
    std::string agent_version;
    std::chrono::milliseconds silent_for{0};
    HostFacts facts;
    std::vector<std::string> troubles;  ///< all that it says is broken there; none while it is not in contact
    std::vector<std::string> hints;     ///< what will be refused or missed there; likewise
    friend bool operator==(const HostView&, const HostView&) = default;
};

struct VmView {
    HostId host;
    VmFacts facts;
    friend bool operator==(const VmView&, const VmView&) = default;
};

struct GroupView {
    GroupId group;
    HostId host;
    std::vector<VmId> vms;
    std::vector<Generation> generations;  ///< oldest first
    friend bool operator==(const GroupView&, const GroupView&) = default;
};

struct ShadowView {
    HostId host;
    ShadowStatus status;
    friend bool operator==(const ShadowView&, const ShadowView&) = default;
};

struct CommandView {
    CommandId id;
    HostId host;
    ResourceId resource;
    std::string operation;
    CommandState state = CommandState::kPlanned;
    std::string reason;
    std::string asked_by;  ///< the user, or the trial or rollout
    WallTime created{};
    double progress = 0;
    std::chrono::seconds time_left{0};  ///< estimated; 0: not known
    friend bool operator==(const CommandView&, const CommandView&) = default;
};

struct EventView {
    std::uint64_t sequence = 0;
    WallTime at{};
    std::string kind;     ///< stable word: "host_online", "command_final", "trial_ended", ...
    std::string subject;  ///< "host:hv1", "trial:aa", ...
    std::string message;  ///< one sentence
    std::string user;     ///< who asked, when a person did
    friend bool operator==(const EventView&, const EventView&) = default;
};

struct ForecastPoint {
    WallTime at{};
    std::vector<double> values;  ///< one a quantile
    friend bool operator==(const ForecastPoint&, const ForecastPoint&) = default;
};
struct ForecastView {
    GroupId group;
    std::string metric;
    std::vector<double> quantiles;  ///< rising
    std::vector<ForecastPoint> next_hour;
    std::vector<ForecastPoint> next_day;
    std::vector<double> past_coverage;  ///< share of past points at or under each quantile
    std::uint64_t points_used = 0;
    double present = 0;  ///< what is measured now, in the metric's unit
    std::string method;  ///< which model was chosen, and why
    friend bool operator==(const ForecastView&, const ForecastView&) = default;
};

/// Requests of the CLI over the local socket. A request that changes something is done once per request_id.
namespace api {

struct ListHosts {
    friend bool operator==(const ListHosts&, const ListHosts&) = default;
};
struct ListVms {
    HostId host;  ///< empty: all
    friend bool operator==(const ListVms&, const ListVms&) = default;
};
struct ListGroups {
    friend bool operator==(const ListGroups&, const ListGroups&) = default;
};
struct ListShadows {
    friend bool operator==(const ListShadows&, const ListShadows&) = default;
};
struct ListTrials {
    TrialId trial;  ///< empty: all
    friend bool operator==(const ListTrials&, const ListTrials&) = default;
};
struct ListRollouts {
    RolloutId rollout;  ///< empty: all
    friend bool operator==(const ListRollouts&, const ListRollouts&) = default;
};
struct ListCommands {
    CommandId command;  ///< empty: all
    friend bool operator==(const ListCommands&, const ListCommands&) = default;
};
struct ListEvents {
    std::uint64_t after = 0;  ///< a cursor: sequence of the last one seen
    std::uint32_t count_max = 256;
    friend bool operator==(const ListEvents&, const ListEvents&) = default;
};
struct ListKpi {
    Vantage vantage;
    WallTime from{};
    WallTime to{};
    friend bool operator==(const ListKpi&, const ListKpi&) = default;
};
struct ShowForecast {
    GroupId group;
    std::string metric;  ///< empty: "requests_per_second"
    friend bool operator==(const ShowForecast&, const ShowForecast&) = default;
};
struct Replicate {
    GroupId group;
    friend bool operator==(const Replicate&, const Replicate&) = default;
};
struct MakeShadow {
    ShadowSpec shadow;
    friend bool operator==(const MakeShadow&, const MakeShadow&) = default;
};
struct RemoveShadow {
    ShadowId shadow;
    friend bool operator==(const RemoveShadow&, const RemoveShadow&) = default;
};
struct ProbeShadow {  ///< show that an arm is isolated; listed by ListIsolation
    ShadowId shadow;
    ArmId arm;
    friend bool operator==(const ProbeShadow&, const ProbeShadow&) = default;
};
struct ListIsolation {  ///< the latest report of each arm
    ShadowId shadow;    ///< empty: all
    friend bool operator==(const ListIsolation&, const ListIsolation&) = default;
};
struct RunTrial {  ///< the text travels (design D17)
    std::string file_name;
    std::string toml;
    friend bool operator==(const RunTrial&, const RunTrial&) = default;
};
struct AbortTrial {
    TrialId trial;
    friend bool operator==(const AbortTrial&, const AbortTrial&) = default;
};
struct ApplyRollout {
    std::string file_name;
    std::string toml;
    friend bool operator==(const ApplyRollout&, const ApplyRollout&) = default;
};
struct ConfirmRollout {
    RolloutId rollout;
    friend bool operator==(const ConfirmRollout&, const ConfirmRollout&) = default;
};
struct AbortRollout {
    RolloutId rollout;
    friend bool operator==(const AbortRollout&, const AbortRollout&) = default;
};
struct ImportHistory {
    GroupId group;
    std::string metric;  ///< empty: "requests_per_second"
    std::string file_name;
    std::string csv;
    friend bool operator==(const ImportHistory&, const ImportHistory&) = default;
};
struct MakeToken {  ///< one use, for one host, for ten minutes
    HostId host;
    friend bool operator==(const MakeToken&, const MakeToken&) = default;
};
struct RemoveEverything {  ///< `host clean`
    HostId host;
    friend bool operator==(const RemoveEverything&, const RemoveEverything&) = default;
};
struct RetireHost {
    HostId host;
    friend bool operator==(const RetireHost&, const RetireHost&) = default;
};
struct ResolveCommand {  ///< the operator's word on a command that is UNKNOWN: it did happen, or it did not
    CommandId command;
    CommandState state = CommandState::kFailed;
    friend bool operator==(const ResolveCommand&, const ResolveCommand&) = default;
};

using RequestBody = std::variant<ListHosts, ListVms, ListGroups, ListShadows, ListTrials, ListRollouts, ListCommands,
                                 ListEvents, ListKpi, ShowForecast, Replicate, MakeShadow, RemoveShadow, RunTrial,
                                 AbortTrial, ApplyRollout, ConfirmRollout, AbortRollout, ImportHistory, MakeToken,
                                 RemoveEverything, RetireHost, ResolveCommand, ProbeShadow, ListIsolation>;

struct Request {
    std::string request_id;  ///< chosen by the client; the reply is stored with it
    RequestBody body;
    friend bool operator==(const Request&, const Request&) = default;
};

// ---- replies
struct Failure {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;  ///< one sentence: what, where, what to do
    friend bool operator==(const Failure&, const Failure&) = default;
};
struct Accepted {         ///< taken and stored; what it became is listed under this name
    std::string subject;  ///< "command:...", "trial:...", "rollout:...", "shadow:..."
    friend bool operator==(const Accepted&, const Accepted&) = default;
};
struct Token {
    std::string token;
    std::string server_key;
    friend bool operator==(const Token&, const Token&) = default;
};
struct Imported {
    std::uint64_t points = 0;
    friend bool operator==(const Imported&, const Imported&) = default;
};

using ReplyBody = std::variant<Failure, Accepted, Token, Imported, std::vector<HostView>, std::vector<VmView>,
                               std::vector<GroupView>, std::vector<ShadowView>, std::vector<TrialStatus>,
                               std::vector<RolloutStatus>, std::vector<CommandView>, std::vector<EventView>,
                               std::vector<KpiWindow>, ForecastView, std::vector<IsolationReport>>;

struct Reply {
    std::string request_id;
    ReplyBody body;
    friend bool operator==(const Reply&, const Reply&) = default;
};

}  // namespace api

}  // namespace penumbra::model
