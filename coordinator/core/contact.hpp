#pragma once

#include "coordinator/core/turn.hpp"

/// Contact with hosts: sessions, the Reset rule, the states an operator sees and the reason for each.
namespace penumbra::coordinator {

/// One envelope from the host that ZAP named. What is not of its present session is answered by Reset.
void receive(Turn& turn, const HostId& from, const model::Envelope& envelope);
/// The host that ZAP named sent what is no envelope: kBreachesMax breaches in kBreachWindow put it into quarantine.
void receive_garbage(Turn& turn, const HostId& from, std::string_view what);
/// Time passes: silent hosts become SUSPECT and UNREACHABLE, unless so many fall silent at once that the fault is
/// likelier on our side (mass brake), or we slept ourselves.
void watch(Turn& turn);
/// How long a reconnecting agent waits at most: grows with the fleet (research fleet.md, fact 5).
[[nodiscard]] std::chrono::milliseconds reconnect_spread(const Fleet& fleet);

}  // namespace penumbra::coordinator
