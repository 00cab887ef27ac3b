#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "coordinator/store/store.hpp"

namespace penumbra::coordinator {

/// A history as people export it: a line "TIME,VALUE" a point, TIME as 2026-11-24T09:30:00Z or as seconds since 1970;
/// one first line of other words is a heading; empty lines and lines that begin with # say nothing. Pure. Error:
/// kInvalidArgument, with file and line.
[[nodiscard]] Result<std::vector<MetricPoint>> parse_history(std::string_view file_name, std::string_view csv);

}  // namespace penumbra::coordinator
