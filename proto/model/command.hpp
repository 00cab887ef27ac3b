#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/model/effect.hpp"
#include "proto/model/replica.hpp"
#include "proto/model/shadow.hpp"

namespace penumbra::model {

// ---- what an agent can be asked to do
struct ReplicateGroup {  ///< take one generation of every volume of the group; full or incremental is the host's
                         ///< decision
    GroupId group;
    friend bool operator==(const ReplicateGroup&, const ReplicateGroup&) = default;
};
struct CreateShadow {
    ShadowSpec shadow;
    friend bool operator==(const CreateShadow&, const CreateShadow&) = default;
};
struct DestroyShadow {
    ShadowId shadow;
    friend bool operator==(const DestroyShadow&, const DestroyShadow&) = default;
};
struct StartReplay {
    ShadowId shadow;
    double share = 1;          ///< of exchanges, by keyed hash; the shadow's scale unless told otherwise
    double rate_multiple = 1;  ///< of the schedule's speed
    std::vector<ArmId> arms;   ///< empty: all
    friend bool operator==(const StartReplay&, const StartReplay&) = default;
};
struct StopReplay {
    ShadowId shadow;
    friend bool operator==(const StopReplay&, const StopReplay&) = default;
};
struct ApplyEffect {
    EffectSpec effect;
    friend bool operator==(const ApplyEffect&, const ApplyEffect&) = default;
};
struct ConfirmEffect {  ///< write the persistent layer and drop the dead-man; refused once the lease has run out
    EffectId effect;
    friend bool operator==(const ConfirmEffect&, const ConfirmEffect&) = default;
};
struct RevertEffect {
    EffectId effect;
    friend bool operator==(const RevertEffect&, const RevertEffect&) = default;
};
struct InspectVm {  ///< hash of the configuration (design D18)
    VmId vm;
    ShadowId shadow;  ///< empty: production
    ArmId arm;        ///< empty: production
    friend bool operator==(const InspectVm&, const InspectVm&) = default;
};
struct ProbeIsolation {  ///< send hostile frames from one arm's sandbox, and listen to production
    ShadowId shadow;
    ArmId arm;
    friend bool operator==(const ProbeIsolation&, const ProbeIsolation&) = default;
};
struct CleanHost {  ///< take everything of ours off the host
    friend bool operator==(const CleanHost&, const CleanHost&) = default;
};

using Operation = std::variant<ReplicateGroup, CreateShadow, DestroyShadow, StartReplay, StopReplay, ApplyEffect,
                               ConfirmEffect, RevertEffect, InspectVm, CleanHost, ProbeIsolation>;

/// The word of an operation, as logs and the store write it: "replicate_group", "apply_effect", ...
[[nodiscard]] std::string_view name_of(const Operation& operation) noexcept;

/// One order to one agent: delivered at least once, done at most once, fenced by resource.
struct Command {
    CommandId id;
    Epoch epoch{};
    ResourceId resource;
    Fence fence{};
    std::chrono::milliseconds time_to_accept{0};  ///< EXPIRED if the agent has not accepted it this long after receipt
    Operation operation;
    friend bool operator==(const Command&, const Command&) = default;
};

/// kUnknown: accepted, then contact was lost. Only the agent's report or an operator's word ends it.
enum class CommandState : unsigned char {
    kPlanned,
    kQueued,
    kSent,
    kAccepted,
    kRunning,
    kSucceeded,
    kFailed,
    kRejected,
    kCancelled,
    kExpired,
    kUnknown
};
[[nodiscard]] std::string_view to_string(CommandState state) noexcept;
[[nodiscard]] bool is_final(CommandState state) noexcept;

enum class Rejection : unsigned char {
    kNone,
    kStaleEpoch,
    kStaleFence,
    kExpired,
    kUnsupported,
    kBusy,
    kPolicy,
    kPrecondition
};

// ---- what comes of it
struct Done {
    friend bool operator==(const Done&, const Done&) = default;
};
struct Inspected {
    std::string config_hash;
    friend bool operator==(const Inspected&, const Inspected&) = default;
};
using Outcome = std::variant<Done, Generation, ShadowStatus, EffectStatus, Inspected, IsolationReport>;

/// Where a command stands, from the agent; final states are sent again until a ResultAck comes.
struct CommandReport {
    CommandId command;
    CommandState state = CommandState::kAccepted;
    Rejection rejection = Rejection::kNone;
    ErrorCode error_code = ErrorCode::kInternal;  ///< of kFailed and kRejected
    std::string message;                          ///< one sentence, of kFailed, kRejected, and of progress
    WallTime at{};                                ///< host's clock when it became final: lines up with KPI windows
    double progress = 0;                          ///< 0..1, of kRunning
    std::chrono::seconds time_left{0};            ///< estimated, of kRunning; 0: not known
    Outcome outcome;                              ///< of kSucceeded
    friend bool operator==(const CommandReport&, const CommandReport&) = default;
};

}  // namespace penumbra::model
