#include "analysis/statistics/wilcoxon.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "analysis/statistics/normal.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::statistics {

namespace {

/// P(V <= v) for v = 0 .. n(n+1)/2 under the null, by convolution: rank i is in or out with one half each.
std::vector<double> signed_rank_cdf(std::size_t n) {
    const std::size_t top = n * (n + 1) / 2;
    std::vector<double> mass(top + 1);
    mass[0] = 1;
    for (std::size_t rank = 1; rank <= n; ++rank) {
        for (std::size_t v = top + 1; v-- > 0;)
            mass[v] = 0.5 * (mass[v] + (v >= rank ? mass[v - rank] : 0.0));
    }
    for (std::size_t v = 1; v <= top; ++v)
        mass[v] += mass[v - 1];
    return mass;
}

std::vector<double> walsh_averages(std::span<const double> values) {
    std::vector<double> averages;
    averages.reserve(values.size() * (values.size() + 1) / 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i; j < values.size(); ++j)
            averages.push_back(values[i] / 2 + values[j] / 2);
    }
    return averages;
}

/// Rank, from the ends of the Walsh averages in order, of the interval's bounds.
std::size_t bound_rank(std::size_t n, double confidence, bool exact) {
    const double tail = (1 - confidence) / 2;
    const auto top = static_cast<double>(n * (n + 1) / 2);
    if (exact) {
        const auto cdf = signed_rank_cdf(n);
        const auto at = std::ranges::find_if(cdf, [&](double p) { return p >= tail; });
        return std::max<std::size_t>(1, static_cast<std::size_t>(std::distance(cdf.begin(), at)));
    }
    const auto size = static_cast<double>(n);
    const double deviation = std::sqrt(size * (size + 1) * (2 * size + 1) / 24);
    return static_cast<std::size_t>(std::max(1.0, std::round(top / 2 + normal_quantile(tail) * deviation)));
}

void asymptotic_p(RankTest& test, std::size_t n, double tie_cubes) {
    const auto size = static_cast<double>(n);
    const double centre = size * (size + 1) / 4;
    const double deviation = std::sqrt(size * (size + 1) * (2 * size + 1) / 24 - tie_cubes / 48);
    if (deviation <= 0) return;
    test.p_greater = normal_cdf(-(test.statistic - centre - 0.5) / deviation);
    test.p_less = normal_cdf((test.statistic - centre + 0.5) / deviation);
}

}  // namespace

Result<RankTest> wilcoxon_signed_rank(std::span<const double> differences, const RankTestOptions& options) {
    TRY(check_sample(differences, 1, "the signed-rank test"));
    const std::size_t n = differences.size();
    if (n * (n + 1) / 2 > limits::kPairsMax) {
        return fail(
            ErrorCode::kResourceExhausted,
            fmt::format("the signed-rank test of {} values needs too many pairs: cut them into blocks first", n));
    }
    std::vector<double> sizes;
    std::vector<bool> positive;
    for (const double d : differences) {
        if (d == 0) continue;
        sizes.push_back(std::abs(d));
        positive.push_back(d > 0);
    }
    const Ranks ranked = mid_ranks(sizes);
    const bool untied = ranked.tie_cubes == 0 && n <= options.exact_max;
    RankTest test{.exact = untied && sizes.size() == n};
    for (std::size_t i = 0; i < sizes.size(); ++i)
        test.statistic += positive[i] ? ranked.ranks[i] : 0;
    if (test.exact) {
        const auto cdf = signed_rank_cdf(n);
        const auto v = static_cast<std::size_t>(test.statistic);
        test.p_less = cdf[v];
        // the upper tail by symmetry: 1 - cdf has no digits left where it matters
        test.p_greater = v == 0 ? 1 : cdf[cdf.size() - 1 - v];
    } else {
        asymptotic_p(test, sizes.size(), ranked.tie_cubes);
    }
    test.p_two_sided = std::min(1.0, 2 * std::min(test.p_less, test.p_greater));
    auto averages = walsh_averages(differences);
    const std::size_t rank = std::min(bound_rank(n, options.confidence, n <= options.exact_max), averages.size());
    const auto at_place = [&](std::size_t place) {
        const auto nth = averages.begin() + static_cast<std::ptrdiff_t>(place);
        std::ranges::nth_element(averages, nth);
        return *nth;
    };
    test.interval = {
        .low = at_place(rank - 1), .high = at_place(averages.size() - rank), .confidence = options.confidence};
    test.shift = median(std::move(averages));
    return test;
}

}  // namespace penumbra::analysis::statistics
