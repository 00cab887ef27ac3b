#pragma once

#include "base/result.hpp"

namespace penumbra::sandbox {

/// From here on only the system calls that replaying takes; sockets local or of the Internet, so the namespace bounds
/// where they reach. What is not allowed fails with EPERM.
[[nodiscard]] Result<void> confine();

}  // namespace penumbra::sandbox
