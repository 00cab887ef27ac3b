#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra {

/// From `at` on a clock is `offset` ahead of UTC: daylight saving begins or ends.
struct OffsetChange {
    WallTime at{};
    std::chrono::minutes offset{0};
};

/// When and by how much the clock of an IANA zone ("Europe/Berlin") stands ahead of UTC, from `from` to `to`; its first
/// change is `from` itself. Reads the system's zone files through localtime_r and changes the process's TZ while it
/// does: only while the process has one thread. Errors: kNotFound for a zone that the system does not have;
/// kInvalidArgument for a span that is no span or longer than a century.
[[nodiscard]] Result<std::vector<OffsetChange>> offset_changes_of(const std::string& zone, WallTime from, WallTime to);

}  // namespace penumbra
