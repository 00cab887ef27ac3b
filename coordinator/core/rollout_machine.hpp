#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "coordinator/core/turn.hpp"

/// Rollouts: shadow trial, drill, production wave by wave under a lease, confirm or take back, final hashes. What a
/// host says of its effects outranks what was ordered: one that took a change back by itself has rolled it back.
namespace penumbra::coordinator {

/// Begins a rollout. Refused: no such group, VM or shadow, a running rollout of that name or group, an effect that is
/// no change, a lease shorter than the verification.
[[nodiscard]] Result<RolloutId> start_rollout(Turn& turn, model::RolloutSpec spec, std::string asked_by);
/// The operator's word that the change may stay; only while it is waited for.
[[nodiscard]] Result<void> confirm_rollout(Turn& turn, const RolloutId& rollout, std::string_view user);
/// Ends a rollout as ABORTED; what stands in production is taken back.
[[nodiscard]] Result<void> abort_rollout(Turn& turn, const RolloutId& rollout, std::string_view user);
/// Moves every rollout on as far as what is known allows.
void advance_rollouts(Turn& turn);

}  // namespace penumbra::coordinator
