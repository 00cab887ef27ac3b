#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace penumbra::analysis::capacity {

/// Split-conformal radius of relative errors (Vovk; Lei et al., JASA 113, 2018): the ceil((n + 1) confidence)-th
/// smallest of |error|; the next error exceeds it with a probability of at most 1 - confidence when errors are
/// exchangeable. nullopt when there are too few for the confidence.
[[nodiscard]] inline std::optional<double> hindcast_radius(std::span<const double> errors, double confidence) {
    std::vector<double> sorted;
    for (const double error : errors)
        sorted.push_back(std::abs(error));
    std::ranges::sort(sorted);
    const auto place = static_cast<std::size_t>(std::ceil(static_cast<double>(sorted.size() + 1) * confidence - 1e-9));
    if (place == 0 || place > sorted.size()) return std::nullopt;
    return sorted[place - 1];
}

}  // namespace penumbra::analysis::capacity
