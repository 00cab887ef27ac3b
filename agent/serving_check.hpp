#pragma once

#include <string>

#include "base/result.hpp"

namespace penumbra::agent {

/// Whether a TCP connection to `server` ("10.20.0.10:80") is taken inside the network namespace at `space`. A guest
/// that refuses or is silent does not; only what is wrong on this host is an error. Enters the namespace with the
/// calling thread and comes back; waits at most limits::kServingCheckMax.
[[nodiscard]] Result<bool> is_served(const std::string& space, const std::string& server);

}  // namespace penumbra::agent
