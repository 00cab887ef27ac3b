#include "analysis/statistics/holm.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace penumbra::analysis::statistics {

std::vector<double> holm(std::span<const double> p_values) {
    std::vector<double> p(p_values.begin(), p_values.end());
    for (double& value : p)
        value = std::isnan(value) ? 1.0 : std::clamp(value, 0.0, 1.0);
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    double reached = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        reached = std::max(reached, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
        p[order[i]] = reached;
    }
    return p;
}

}  // namespace penumbra::analysis::statistics
