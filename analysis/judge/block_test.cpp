#include "analysis/judge/block_test.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/statistics/autocorrelation.hpp"
#include "analysis/statistics/mann_whitney.hpp"
#include "analysis/statistics/sample.hpp"
#include "analysis/statistics/sign_flip.hpp"
#include "analysis/statistics/student_t.hpp"
#include "analysis/statistics/wilcoxon.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::judge {

namespace {

constexpr std::size_t kBlockMin = 3;
constexpr double kAutocorrelationLow = 0.2;
constexpr std::size_t kValuesToMeasureTime = 20;
/// Above 14 blocks the flips are drawn: 10,000 of them cost less than 2^15, and p down to 1e-4 is enough.
constexpr statistics::SignFlipOptions kFlips{.exact_max = 14};

/// Values pulled in to three robust deviations of their median: a few windows far off would hide that the rest wander
/// together, and blocks would come out too short.
std::vector<double> pulled_in(std::span<const double> values) {
    const double centre = statistics::median({values.begin(), values.end()});
    std::vector<double> away;
    for (const double v : values)
        away.push_back(std::abs(v - centre));
    const double reach = 3 * 1.4826 * statistics::median(away);
    std::vector<double> result(values.begin(), values.end());
    if (reach <= 0) return result;
    for (double& v : result)
        v = std::clamp(v, centre - reach, centre + reach);
    return result;
}

struct MeanBound {
    double shift = 0;
    double error = 0;
    double reach = 0;
};

/// Student's bound of the mean, or Welch's of the difference of two means.
MeanBound mean_bound(std::span<const double> before, std::span<const double> after, double confidence) {
    const auto share = [](std::span<const double> values) {
        return values.empty() ? 0.0 : statistics::variance(values) / static_cast<double>(values.size());
    };
    const double a = share(after);
    const double b = share(before);
    MeanBound bound{.shift = statistics::mean(after) - statistics::mean(before), .error = std::sqrt(a + b)};
    const auto freedom = [](double part, std::size_t n) {
        return n < 2 ? 0.0 : part * part / static_cast<double>(n - 1);
    };
    const double denominator = freedom(a, after.size()) + freedom(b, before.size());
    const double degrees = denominator > 0 ? (a + b) * (a + b) / denominator : static_cast<double>(after.size() - 1);
    bound.reach = statistics::student_t_quantile(0.5 + confidence / 2, degrees) * bound.error;
    return bound;
}

Result<void> check_blocks(std::span<const double> before, std::span<const double> after) {
    TRY(statistics::check_sample(after, 2, "the paired block test"));
    if (!before.empty()) TRY(statistics::check_sample(before, 2, "the paired block test's baseline"));
    return {};
}

Result<double> p_of_means(std::span<const double> before, std::span<const double> after) {
    return before.empty() ? statistics::sign_flip_p(after, kFlips) : statistics::permutation_p(after, before, kFlips);
}

}  // namespace

Wandering wandering_of(std::span<const double> before, std::span<const double> after) {
    std::size_t length = kBlockMin;
    double weighted = 0;
    double weight = 0;
    for (const auto stretch : {before, after}) {
        if (stretch.size() < 2) continue;
        const auto values = pulled_in(stretch);
        if (const auto lag = statistics::first_lag_below(values, kAutocorrelationLow)) length = std::max(length, *lag);
        if (values.size() < kValuesToMeasureTime) continue;
        const auto time = statistics::integrated_time(values);
        if (!time) continue;
        const auto n = static_cast<double>(values.size());
        // the estimate is low on short stretches, by about 2 time / n of itself
        length = std::max(length, static_cast<std::size_t>(std::ceil(2 * *time * (1 + 2 * *time / n))));
        weighted += *time * n;
        weight += n;
    }
    const std::size_t longest = std::max(before.size(), after.size());
    return {.block_length = std::max(length, (longest + limits::kBlocksMax - 1) / limits::kBlocksMax),
            .time = weight > 0 ? weighted / weight : 1};
}

Result<BlockTest> block_test(std::span<const double> before, std::span<const double> after, double confidence) {
    TRY(check_blocks(before, after));
    const statistics::RankTestOptions options{.confidence = confidence};
    const auto ranks = before.empty() ? TRY(statistics::wilcoxon_signed_rank(after, options))
                                      : TRY(statistics::mann_whitney(after, before, options));
    const double p_means = TRY(p_of_means(before, after));
    const MeanBound means = mean_bound(before, after, confidence);
    BlockTest test{.shift = ranks.shift, .interval = ranks.interval, .standard_error = means.error};
    test.interval.high = std::max(ranks.interval.high, means.shift + means.reach);
    test.p_harm = std::min(1.0, 2 * std::min(ranks.p_greater, p_means));
    return test;
}

Result<BlockTest> mean_test(std::span<const double> before, std::span<const double> after, double confidence) {
    TRY(check_blocks(before, after));
    const MeanBound means = mean_bound(before, after, confidence);
    return BlockTest{
        .shift = means.shift,
        .interval = {.low = means.shift - means.reach, .high = means.shift + means.reach, .confidence = confidence},
        .p_harm = TRY(p_of_means(before, after)),
        .standard_error = means.error};
}

}  // namespace penumbra::analysis::judge
