#pragma once

#include <optional>

#include "base/clock.hpp"
#include "coordinator/core/fleet.hpp"
#include "proto/model/api.hpp"

namespace penumbra::coordinator {

/// The answer to a request that only reads, from what the core knows. Pure. At most kItemsPerReplyMax items; a name
/// that does not exist is a Failure. Nothing: the request changes something, or is answered from the store (events,
/// forecasts).
[[nodiscard]] std::optional<model::api::ReplyBody> view(const Fleet& fleet, const model::api::RequestBody& request,
                                                        Instant now);

}  // namespace penumbra::coordinator
