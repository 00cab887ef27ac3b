#pragma once

#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "cli/session.hpp"

namespace penumbra::cli {

/// Each looks until it has ended, with a line of progress; the coordinator may be away for kCoordinatorAwayMax
/// meanwhile. kNotFound when the coordinator does not list it.
[[nodiscard]] Result<model::CommandView> wait_for_command(Session& session, const CommandId& command);
[[nodiscard]] Result<model::TrialStatus> wait_for_trial(Session& session, const TrialId& trial);
[[nodiscard]] Result<model::RolloutStatus> wait_for_rollout(Session& session, const RolloutId& rollout);

/// Asks for something that becomes one command, and waits for it; an Error when it did not succeed. Without waiting,
/// only the subject is printed and the optional is empty.
[[nodiscard]] Result<std::optional<model::CommandView>> carry_out(Session& session, model::api::RequestBody request);

/// The name behind "KIND:" of what was accepted; kInternal when it is of another kind.
template <class Id>
[[nodiscard]] Result<Id> named_by(const model::api::Accepted& accepted, std::string_view kind) {
    const std::string_view subject = accepted.subject;
    if (!subject.starts_with(kind) || subject.size() <= kind.size() + 1 || subject[kind.size()] != ':') {
        return fail(ErrorCode::kInternal,
                    fmt::format("the coordinator accepted \"{}\" where a {} was asked for", subject, kind));
    }
    return Id::parse(subject.substr(kind.size() + 1));
}

}  // namespace penumbra::cli
