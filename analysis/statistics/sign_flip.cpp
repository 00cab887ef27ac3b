#include "analysis/statistics/sign_flip.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::statistics {

namespace {

/// What rounding may take from a sum that is equal in exact arithmetic; a tie counts as at least as extreme.
double rounding_of(std::span<const double> values) noexcept {
    double sizes = 0;
    for (const double v : values)
        sizes += std::abs(v);
    return sizes * 1e-12;
}

/// All sign patterns in Gray-code order: one term changes a step.
double enumerate_flips(std::span<const double> d, double observed) {
    const std::uint64_t patterns = std::uint64_t{1} << d.size();
    std::vector<double> signs(d.size(), 1);
    double sum = observed;
    std::uint64_t hits = 0;
    const double slack = rounding_of(d);
    for (std::uint64_t i = 1; i <= patterns; ++i) {
        if (sum >= observed - slack) ++hits;
        const auto changed = static_cast<std::size_t>(std::countr_zero(i));
        if (changed >= d.size()) break;
        signs[changed] = -signs[changed];
        sum += 2 * signs[changed] * d[changed];
    }
    return static_cast<double>(hits) / static_cast<double>(patterns);
}

/// Of up to eight terms, the signed sum for each pattern of signs; a set bit is plus. A drawn flip of hundreds of terms
/// then adds an eighth as often.
using EightSums = std::array<double, 256>;
std::vector<EightSums> sums_of_eights(std::span<const double> d) {
    std::vector<EightSums> sums((d.size() + 7) / 8, EightSums{});
    for (std::size_t k = 0; k < d.size(); ++k) {
        for (std::size_t pattern = 0; pattern < 256; ++pattern)
            sums[k / 8][pattern] += ((pattern >> (k % 8)) & 1U) != 0 ? d[k] : -d[k];
    }
    return sums;
}

}  // namespace

Result<double> sign_flip_p(std::span<const double> differences, const SignFlipOptions& options) {
    TRY(check_sample(differences, 1, "the sign-flip test"));
    const double observed = std::accumulate(differences.begin(), differences.end(), 0.0);
    if (differences.size() <= std::min(options.exact_max, 24U)) return enumerate_flips(differences, observed);
    Random random(options.seed);
    const std::vector<EightSums> sums = sums_of_eights(differences);
    const double slack = rounding_of(differences);
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < options.flips; ++i) {
        double sum = 0;
        std::uint64_t bits = 0;
        for (std::size_t group = 0; group < sums.size(); ++group) {
            if (group % 8 == 0) bits = random.bits();
            sum += sums[group][bits & 0xffU];
            bits >>= 8U;
        }
        if (sum >= observed - slack) ++hits;
    }
    return static_cast<double>(hits + 1) / static_cast<double>(options.flips + 1);
}

Result<double> permutation_p(std::span<const double> x, std::span<const double> y, const SignFlipOptions& options) {
    TRY(check_sample(x, 1, "the permutation test"));
    TRY(check_sample(y, 1, "the permutation test"));
    std::vector<double> all(x.begin(), x.end());
    all.insert(all.end(), y.begin(), y.end());
    // with the total fixed, the difference of means grows with the first sample's sum
    const double observed = std::accumulate(x.begin(), x.end(), 0.0);
    const double slack = rounding_of(all);
    Random random(options.seed);
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < options.flips; ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < x.size(); ++k) {
            std::swap(all[k], all[k + static_cast<std::size_t>(random.below(all.size() - k))]);
            sum += all[k];
        }
        if (sum >= observed - slack) ++hits;
    }
    return static_cast<double>(hits + 1) / static_cast<double>(options.flips + 1);
}

}  // namespace penumbra::analysis::statistics
