#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "coordinator/core/turn.hpp"

/// Trials from the first replayed request to the verdict. Each state waits for one command's end, or for the windows of
/// one span on the host's clock; both are in the record, so a restarted coordinator goes on where it was.
namespace penumbra::coordinator {

/// Begins a trial. `rollout` is empty when a person asked. Refused: no such shadow or arm, a running trial on it or of
/// that name, rules that cannot judge, a lease that ends before the measurement.
[[nodiscard]] Result<TrialId> start_trial(Turn& turn, model::TrialSpec spec, const RolloutId& rollout,
                                          std::string asked_by);
/// Ends a trial as ABORTED; what it did is taken back first.
[[nodiscard]] Result<void> abort_trial(Turn& turn, const TrialId& trial, std::string reason);
/// Moves every trial on as far as what is known allows.
void advance_trials(Turn& turn);
/// The trial that runs on a shadow now; nothing if none does.
[[nodiscard]] const TrialRecord* trial_on(const Fleet& fleet, const ShadowId& shadow);

}  // namespace penumbra::coordinator
