#include "analysis/statistics/binomial.hpp"

#include <cmath>
#include <limits>

#include <fmt/core.h>

namespace penumbra::analysis::statistics {

namespace {

/// The continued fraction of I_x(a, b) without its prefactor (Abramowitz and Stegun 26.5.8), by modified Lentz.
double beta_fraction(double a, double b, double x) noexcept {
    constexpr double kTiny = 1e-300;
    constexpr int kTermsMax = 10'000;
    double c = 1;
    double d = 1 - (a + b) * x / (a + 1);
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    double fraction = d;
    for (int m = 1; m <= kTermsMax; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double change = 1;
        for (const double term : {even, odd}) {
            d = 1 + term * d;
            d = 1 / (std::abs(d) < kTiny ? kTiny : d);
            c = 1 + term / c;
            if (std::abs(c) < kTiny) c = kTiny;
            change = d * c;
            fraction *= change;
        }
        if (std::abs(change - 1) < 1e-16) break;
    }
    return fraction;
}

}  // namespace

double incomplete_beta(double a, double b, double x) noexcept {
    if (std::isnan(x)) return x;
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    int sign = 0;
    const double log_beta = lgamma_r(a, &sign) + lgamma_r(b, &sign) - lgamma_r(a + b, &sign);
    const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta);
    // the fraction converges fast only left of the mean; the other side is its mirror
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double beta_quantile(double a, double b, double p) noexcept {
    if (p <= 0) return 0;
    if (p >= 1) return 1;
    double low = 0;
    double high = 1;
    while (true) {
        const double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) return middle;
        (incomplete_beta(a, b, middle) < p ? low : high) = middle;
        if (high - low <= 1e-16 * high) return middle;
    }
}

double binomial_cdf(std::uint64_t k, std::uint64_t n, double p) noexcept {
    if (k >= n) return 1;
    return incomplete_beta(static_cast<double>(n - k), static_cast<double>(k) + 1, 1 - p);
}

Result<model::Interval> clopper_pearson(std::uint64_t k, std::uint64_t n, double confidence) {
    if (n == 0 || k > n || !(confidence > 0 && confidence < 1)) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("a Clopper-Pearson interval of {} in {} at confidence {} has no meaning", k, n, confidence));
    }
    const double tail = (1 - confidence) / 2;
    const auto hits = static_cast<double>(k);
    const auto runs = static_cast<double>(n);
    return model::Interval{.low = k == 0 ? 0 : beta_quantile(hits, runs - hits + 1, tail),
                           .high = k == n ? 1 : beta_quantile(hits + 1, runs - hits, 1 - tail),
                           .confidence = confidence};
}

double zero_failures_bound(std::uint64_t n, double confidence) noexcept {
    return n == 0 ? 0 : std::pow(1 - confidence, 1 / static_cast<double>(n));
}

std::uint64_t zero_failures_needed(double share, double confidence) noexcept {
    if (!(share < 1)) return std::numeric_limits<std::uint64_t>::max();
    if (!(share > 0)) return 1;
    return static_cast<std::uint64_t>(std::ceil(std::log(1 - confidence) / std::log(share)));
}

}  // namespace penumbra::analysis::statistics
