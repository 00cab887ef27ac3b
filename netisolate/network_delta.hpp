#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "netisolate/network_state.hpp"
#include "netisolate/network_step.hpp"

namespace penumbra::netisolate {

/// The ordered steps from `observed` to `desired` for everything whose owner is `owner`; empty when nothing is to do.
/// What carries no owner or another one is never touched; where it stands in the way the answer is kConflict.
/// An empty `desired` takes everything of that owner away. Links come up last, after the flows that contain them.
[[nodiscard]] Result<std::vector<NetworkStep>> network_delta(const NetworkState& observed, const NetworkState& desired,
                                                             std::string_view owner);

}  // namespace penumbra::netisolate
