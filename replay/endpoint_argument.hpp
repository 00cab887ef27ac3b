#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "packet/address.hpp"

namespace penumbra::replay {

/// "192.0.2.7:80" or "[2001:db8::7]:80", at least one of them.
[[nodiscard]] Result<std::vector<packet::Endpoint>> read_endpoints(std::span<const std::string> texts);

}  // namespace penumbra::replay
