#pragma once

#include <chrono>
#include <string>

#include "coordinator/core/turn.hpp"

/// What a trial or rollout waits for: the end of a command, the windows of a span, or time.
namespace penumbra::coordinator {

/// How the command ended; nothing while it has not. One that is no longer remembered has failed.
struct Ending {
    model::CommandState state = model::CommandState::kFailed;
    model::CommandReport report;
    [[nodiscard]] bool worked() const noexcept { return state == model::CommandState::kSucceeded; }
    /// Nothing was done: it was refused, or never accepted.
    [[nodiscard]] bool never_begun() const noexcept {
        return state == model::CommandState::kRejected || state == model::CommandState::kExpired ||
               state == model::CommandState::kCancelled;
    }
    [[nodiscard]] std::string sentence() const;
};
[[nodiscard]] std::optional<Ending> ending_of(const Fleet& fleet, const CommandId& pending);

/// True once `length` has passed since this was first asked for `what`. Time in which the host is out of contact does
/// not count; a restarted coordinator counts anew.
[[nodiscard]] bool waited(Turn& turn, const HostId& host, const std::string& what, std::chrono::milliseconds length);
/// The wait is over: the next one for `what` begins from nothing.
void waited_enough(Turn& turn, const std::string& what);

/// What a host says of an effect of ours; nothing when it has not said anything in this session.
[[nodiscard]] const model::EffectStatus* effect_on(const Fleet& fleet, const HostId& host, const EffectId& effect);
/// The host took it back by itself, or could not: its lease ran out, or somebody else changed what it stood on.
[[nodiscard]] bool ended_by_itself(const model::EffectStatus* status) noexcept;

}  // namespace penumbra::coordinator
