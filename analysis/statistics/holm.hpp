#pragma once

#include <span>
#include <vector>

namespace penumbra::analysis::statistics {

/// Holm's step-down adjusted p-values (Scand. J. Stat. 6, 1979), in the order given: reject where adjusted <= alpha
/// keeps the family-wise error at alpha under any dependence. Values are clipped to [0, 1]; NaN counts as 1. O(m log
/// m).
[[nodiscard]] std::vector<double> holm(std::span<const double> p_values);

}  // namespace penumbra::analysis::statistics
