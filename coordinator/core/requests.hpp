#pragma once

#include "coordinator/core/turn.hpp"

namespace penumbra::coordinator {

/// Does what a person asked, once per request_id; the answer leaves when what it says is durable.
void take_request(Turn& turn, const Asked& asked);

}  // namespace penumbra::coordinator
