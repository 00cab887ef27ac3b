#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "proto/model/effect.hpp"
#include "proto/model/trial.hpp"

namespace penumbra::model {

/// Who says that a change may stay: the coordinator once verified, or an operator while the lease runs.
enum class ConfirmBy : unsigned char { kCoordinator, kOperator };

/// One change on its way to production, as a person wrote it.
struct RolloutSpec {
    RolloutId rollout;
    GroupId group;
    EffectSpec change;  ///< a change; its id and target are filled in, for the shadow and for each VM of a wave
    TrialSpec trial;    ///< the shadow trial that must PASS first; kind kChange
    bool rollback_drill = true;            ///< apply and revert on the shadow, and compare hashes, before production
    std::chrono::seconds lease{300};       ///< how long the change may stand unconfirmed
    std::chrono::seconds verify{30};       ///< how long it must stand before it is confirmed; less than the lease
    std::vector<KpiSpec> guards;           ///< production's own KPIs while it is verified; empty: read-back only
    std::vector<std::vector<VmId>> waves;  ///< empty: one wave, the group's VM
    ConfirmBy confirm_by = ConfirmBy::kCoordinator;
    friend bool operator==(const RolloutSpec&, const RolloutSpec&) = default;
};

/// Where a rollout stands. Every state but kEnded survives a restart of the coordinator.
enum class RolloutState : unsigned char {
    kInspecting,  ///< production's hashes before anything
    kShadowTrial,
    kInspectingShadow,  ///< hash of the treated arm before the drill
    kDrillApplying,
    kDrillReverting,
    kDrillInspecting,  ///< the hash must have come back
    kApplying,
    kVerifying,
    kAwaitingConfirm,
    kConfirming,
    kReverting,        ///< what stands in production, earlier waves included, latest first
    kInspectingFinal,  ///< production's hashes when all is done, whatever the outcome
    kEnded
};
[[nodiscard]] std::string_view to_string(RolloutState state) noexcept;

enum class RolloutOutcome : unsigned char { kSucceeded, kRejected, kRolledBack, kAborted, kRollbackFailed };
[[nodiscard]] std::string_view to_string(RolloutOutcome outcome) noexcept;

/// One VM of production that a rollout has touched or is about to.
struct RolloutTarget {
    VmId vm;
    HostId host;
    std::uint32_t wave = 0;
    EffectId effect;
    std::optional<EffectState> effect_state;  ///< nothing: not applied
    std::string before_hash;
    std::string after_hash;
    std::string final_hash;
    std::string reason;  ///< the host's sentence
    friend bool operator==(const RolloutTarget&, const RolloutTarget&) = default;
};

struct RolloutStatus {
    RolloutSpec spec;
    RolloutState state = RolloutState::kInspecting;
    std::optional<RolloutOutcome> outcome;  ///< known before kEnded: what is done since is clean-up
    std::string reason;                     ///< one sentence: what it waits for, or why it ended
    TrialId trial;
    std::string drill_before_hash;
    std::string drill_after_hash;
    std::vector<RolloutTarget> targets;
    std::uint32_t target = 0;  ///< the one being worked on
    std::uint32_t wave = 0;
    WallTime begun{};
    WallTime ended{};
    friend bool operator==(const RolloutStatus&, const RolloutStatus&) = default;
};

}  // namespace penumbra::model
