#include "analysis/statistics/mann_whitney.hpp"

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

/// P(U <= u) for u = 0 .. mn under the null. ways[j][u] counts the orders so far that hold j of the first sample with
/// u pairs won; one more of the first sample beats each of the second before it. Sums only, so no digits cancel.
std::vector<double> mann_whitney_cdf(std::size_t m, std::size_t n) {
    const std::size_t top = m * n;
    std::vector<std::vector<double>> ways(m + 1, std::vector<double>(top + 1));
    ways[0][0] = 1;
    for (std::size_t placed = 0; placed < m + n; ++placed) {
        for (std::size_t j = std::min(placed + 1, m); j-- > 0;) {
            const std::size_t beaten = placed - j;
            if (beaten > n) break;
            for (std::size_t u = 0; u <= j * n; ++u)
                ways[j + 1][u + beaten] += ways[j][u];
        }
    }
    std::vector<double> cdf = std::move(ways[m]);
    for (std::size_t u = 1; u <= top; ++u)
        cdf[u] += cdf[u - 1];
    const double all = cdf[top];
    for (double& value : cdf)
        value /= all;
    return cdf;
}

std::vector<double> pairwise_differences(std::span<const double> x, std::span<const double> y) {
    std::vector<double> differences;
    differences.reserve(x.size() * y.size());
    for (const double a : x) {
        for (const double b : y)
            differences.push_back(a - b);
    }
    std::ranges::sort(differences);
    return differences;
}

std::size_t bound_rank(std::size_t m, std::size_t n, double confidence, bool exact) {
    const double tail = (1 - confidence) / 2;
    if (exact) {
        const auto cdf = mann_whitney_cdf(m, n);
        const auto at = std::ranges::find_if(cdf, [&](double p) { return p >= tail; });
        return std::max<std::size_t>(1, static_cast<std::size_t>(std::distance(cdf.begin(), at)));
    }
    const auto pairs = static_cast<double>(m * n);
    const double deviation = std::sqrt(pairs * static_cast<double>(m + n + 1) / 12);
    return static_cast<std::size_t>(std::max(1.0, std::round(pairs / 2 + normal_quantile(tail) * deviation)));
}

void asymptotic_p(RankTest& test, std::size_t m, std::size_t n, double tie_cubes) {
    const auto pairs = static_cast<double>(m * n);
    const auto all = static_cast<double>(m + n);
    const double spread = pairs / 12 * ((all + 1) - tie_cubes / (all * (all - 1)));
    if (spread <= 0) return;
    test.p_greater = normal_cdf(-(test.statistic - pairs / 2 - 0.5) / std::sqrt(spread));
    test.p_less = normal_cdf((test.statistic - pairs / 2 + 0.5) / std::sqrt(spread));
}

}  // namespace

Result<RankTest> mann_whitney(std::span<const double> x, std::span<const double> y, const RankTestOptions& options) {
    TRY(check_sample(x, 1, "the Mann-Whitney test"));
    TRY(check_sample(y, 1, "the Mann-Whitney test"));
    const std::size_t m = x.size();
    const std::size_t n = y.size();
    if (m * n > limits::kPairsMax) {
        return fail(
            ErrorCode::kResourceExhausted,
            fmt::format("the Mann-Whitney test of {} and {} values needs too many pairs: cut them into blocks first", m,
                        n));
    }
    std::vector<double> both(x.begin(), x.end());
    both.insert(both.end(), y.begin(), y.end());
    const Ranks ranked = mid_ranks(both);
    const bool small = m <= options.exact_max && n <= options.exact_max;
    RankTest test{.exact = small && ranked.tie_cubes == 0};
    for (std::size_t i = 0; i < m; ++i)
        test.statistic += ranked.ranks[i];
    test.statistic -= static_cast<double>(m) * static_cast<double>(m + 1) / 2;
    if (test.exact) {
        const auto cdf = mann_whitney_cdf(m, n);
        const auto u = static_cast<std::size_t>(test.statistic);
        test.p_less = std::min(1.0, cdf[u]);
        test.p_greater = u == 0 ? 1 : std::min(1.0, cdf[m * n - u]);
    } else {
        asymptotic_p(test, m, n, ranked.tie_cubes);
    }
    test.p_two_sided = std::min(1.0, 2 * std::min(test.p_less, test.p_greater));
    const auto differences = pairwise_differences(x, y);
    const std::size_t rank = std::min(bound_rank(m, n, options.confidence, small), differences.size());
    test.shift = median(differences);
    test.interval = {
        .low = differences[rank - 1], .high = differences[differences.size() - rank], .confidence = options.confidence};
    return test;
}

}  // namespace penumbra::analysis::statistics
