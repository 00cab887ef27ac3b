#include "analysis/statistics/sample.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/core.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis::statistics {

Result<void> check_sample(std::span<const double> values, std::size_t at_least, std::string_view what) {
    if (values.size() < at_least) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} needs at least {} values and got {}", what, at_least, values.size()));
    }
    if (values.size() > limits::kSampleValuesMax) {
        return fail(ErrorCode::kResourceExhausted, fmt::format("{} takes at most {} values and got {}", what,
                                                               limits::kSampleValuesMax, values.size()));
    }
    const auto bad = std::ranges::find_if(values, [](double v) { return !std::isfinite(v); });
    if (bad != values.end()) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{} got {} at place {}: leave missing values out", what,
                                                             *bad, std::distance(values.begin(), bad)));
    }
    return {};
}

double mean(std::span<const double> values) noexcept {
    if (values.empty()) return 0;
    const auto n = static_cast<double>(values.size());
    const double first = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double correction = 0;
    for (const double v : values)
        correction += v - first;
    return first + correction / n;
}

double variance(std::span<const double> values) noexcept {
    if (values.size() < 2) return 0;
    const double centre = mean(values);
    double squares = 0;
    for (const double v : values)
        squares += (v - centre) * (v - centre);
    return squares / static_cast<double>(values.size() - 1);
}

double median(std::vector<double> values) noexcept {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    const double below = *std::max_element(values.begin(), middle);
    return below + (*middle - below) / 2;
}

double quantile_sorted(std::span<const double> sorted, double q) noexcept {
    const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Ranks mid_ranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    Ranks result{.ranks = std::vector<double>(values.size())};
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin + 1;
        while (end < order.size() && values[order[end]] == values[order[begin]])
            ++end;
        const double rank = (static_cast<double>(begin + end) + 1) / 2;
        for (std::size_t i = begin; i < end; ++i)
            result.ranks[order[i]] = rank;
        const auto tied = static_cast<double>(end - begin);
        result.tie_cubes += tied * tied * tied - tied;
        begin = end;
    }
    return result;
}

}  // namespace penumbra::analysis::statistics
