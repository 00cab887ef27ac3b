#pragma once

#include <filesystem>
#include <vector>

#include "tests/bench/analysis/series_files.hpp"

namespace penumbra::bench {

/// A day ahead beside R's forecast package: three series a group, whose last day is foretold from the 28 days before
/// it. R's errors stand in r_forecast.csv; a group that has none there has no figure.
void bench_against_r(const std::vector<Series>& all);

/// Writes what R is given: a line "group,name,past or future,value..." each, NA where it is missing.
void export_for_r(const std::vector<Series>& all, const std::filesystem::path& file);

}  // namespace penumbra::bench
