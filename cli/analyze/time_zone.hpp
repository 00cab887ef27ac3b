#pragma once

#include <string>
#include <vector>

#include "analysis/forecast/calendar.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::cli {

/// When and by how much the clock of an IANA zone ("Europe/Berlin") stands ahead of UTC, from `from` to `to`; its first
/// change is `from` itself. Reads the system's zone files through localtime_r and changes the process's TZ while it
/// does: for programs of one thread. Errors: kNotFound for a zone that the system does not have; kInvalidArgument for a
/// span that is no span or longer than a century.
[[nodiscard]] Result<std::vector<analysis::forecast::OffsetChange>> offset_changes_of(const std::string& zone,
                                                                                      WallTime from, WallTime to);

}  // namespace penumbra::cli
