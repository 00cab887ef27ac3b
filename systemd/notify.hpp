#pragma once

#include <string_view>

#include "base/result.hpp"

namespace penumbra::systemd {

// What this process tells the service manager that started it (sd_notify(3)): nothing, and a success, when none did.
// The watchdog is fed from the loop itself: EventLoop::feed_watchdog(). Thread-safe. Errors: kUnavailable and the like
// when the manager's socket cannot be reached; the unit then ends at its start timeout, so say it in the log.

/// Work can begin: a Type=notify unit is started from here on. `status` is the line that `systemctl status` shows.
[[nodiscard]] Result<void> notify_ready(std::string_view status);
[[nodiscard]] Result<void> notify_status(std::string_view status);
/// The end is intended: what still runs is given TimeoutStopSec.
[[nodiscard]] Result<void> notify_stopping(std::string_view status);

}  // namespace penumbra::systemd
