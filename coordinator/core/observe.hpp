#pragma once

#include "coordinator/core/turn.hpp"

/// What a host in session reports of itself. A report older than one already taken is dropped.
namespace penumbra::coordinator {

void observe(Turn& turn, Host& host, const model::FactsReport& report);
void observe(Turn& turn, Host& host, const model::ShadowReport& report);
void observe(Turn& turn, Host& host, const model::EffectReport& report);
/// Acknowledged once committed; a window that came already is only acknowledged.
void observe(Turn& turn, Host& host, const model::KpiReport& report);
/// What a command's success brought into being, or took away.
void observe_outcome(Turn& turn, const CommandRecord& record);

}  // namespace penumbra::coordinator
