#pragma once

#include "base/result.hpp"

namespace penumbra::capture {

/// From here on only the system calls that capturing takes, and none that could send anything out of the packet
/// socket `ring_fd`: the diode holds even if a frame takes this process over. What is not allowed fails with EPERM.
[[nodiscard]] Result<void> confine(int ring_fd);

}  // namespace penumbra::capture
