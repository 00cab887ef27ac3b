#pragma once

#include <cstddef>
#include <vector>

#include "tests/bench/analysis/series_files.hpp"

namespace penumbra::bench {

/// Two days ahead of hourly series: the figures of the M4 competition, and the cost of a fit.
void bench_hourly(const std::vector<Series>& all);
/// A day ahead of five-minute series from three origins.
void bench_five_minutes(const std::vector<Series>& all);
/// The 95 % quantile an hour ahead, value after value for three days.
void bench_online(const std::vector<Series>& all);
/// Cost of a fit, of a tick, and of the state, on a generated series.
void bench_cost();

}  // namespace penumbra::bench
