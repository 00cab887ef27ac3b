#pragma once

#include <vector>

#include "tests/bench/analysis/series_files.hpp"

namespace penumbra::bench {

/// Scaling plans as decisions: the last three days of five-minute series, planned anew in each slot with a lead time of
/// a quarter of an hour, beside reacting, the same time last week and foreknowledge; and the rises that were announced.
void bench_plan(const std::vector<Series>& all);

}  // namespace penumbra::bench
