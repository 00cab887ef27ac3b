#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "coordinator/core/turn.hpp"

/// Commands from QUEUED to a final state. One resource, one command at a time, in the order of their fences; UNKNOWN
/// blocks its resource until the host reports or an operator speaks.
namespace penumbra::coordinator {

struct Order {
    HostId host;
    ResourceId resource;
    model::Operation operation;
    std::string asked_by;
};

/// Queues a command; its fence is raised in the same batch. Refused when the host has too many open ones.
[[nodiscard]] Result<CommandId> order(Turn& turn, Order order);
/// Sends what may be sent to this host: credit, order within a resource, resending of what was not accepted. CleanHost
/// is about all of the host's resources: it goes at once, and what is newer waits for its end.
void dispatch(Turn& turn, Host& host);
/// Takes one report of the host about one of its commands.
void take_report(Turn& turn, Host& host, const model::CommandReport& report);
/// A new session: what the host did not say in its Hello it has never accepted, or has lost.
void reconcile(Turn& turn, Host& host, const model::Hello& hello);
/// The host is unreachable: what it may have accepted is UNKNOWN.
void lose_contact(Turn& turn, Host& host);
/// The operator's word on a command that is UNKNOWN.
[[nodiscard]] Result<void> resolve(Turn& turn, const model::api::ResolveCommand& word, std::string_view user);
/// One sentence: how a command ended.
[[nodiscard]] std::string end_of(const CommandRecord& record);

}  // namespace penumbra::coordinator
