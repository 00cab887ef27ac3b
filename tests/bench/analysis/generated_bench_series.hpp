#pragma once

#include <vector>

#include "tests/bench/analysis/series_files.hpp"

namespace penumbra::bench {

/// Seeded series with days, weeks, growth, shifts, gaps, free days and bursts, for a machine without the public ones:
/// six weeks of hours with two days that follow, and four weeks of five minutes in three groups.
[[nodiscard]] std::vector<Series> generated_hourly();
[[nodiscard]] std::vector<Series> generated_five_minutes();

}  // namespace penumbra::bench
