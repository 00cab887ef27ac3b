#include "analysis/statistics/rate_test.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

#include <fmt/core.h>

#include "analysis/statistics/binomial.hpp"
#include "analysis/statistics/normal.hpp"

namespace penumbra::analysis::statistics {

namespace {

constexpr double kFarthest = 38;  ///< deviations beyond which a normal's tail is no double any more

model::Interval wilson(const Rate& rate, double z) {
    const double n = rate.exposure;
    const double share = rate.value();
    const double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double reach = z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    return {.low = std::max(0.0, centre - reach), .high = std::min(1.0, centre + reach)};
}

bool is_exposed(const Rate& rate) noexcept {
    return std::isfinite(rate.exposure) && rate.exposure > 0;
}

Result<void> check_shares(std::initializer_list<Rate> rates) {
    for (const Rate& rate : rates) {
        if (!is_exposed(rate) || static_cast<double>(rate.events) > rate.exposure) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{} events in {} requests are not a share", rate.events, rate.exposure));
        }
    }
    return {};
}

Result<void> check_changes(const ShareChanges& changes) {
    return check_shares({changes.x_before, changes.x_after, changes.y_before, changes.y_after});
}

Result<void> check_confidence(double confidence) {
    if (confidence > 0 && confidence < 1) return {};
    return fail(ErrorCode::kInvalidArgument, fmt::format("a confidence of {} is not between 0 and 1", confidence));
}

struct Term {
    Rate rate;
    int sign = 1;
};

std::vector<Term> terms_of(const ShareChanges& changes) {
    return {{changes.x_after, 1}, {changes.x_before, -1}, {changes.y_after, -1}, {changes.y_before, 1}};
}

/// Sum of the signed shares, each end as far away as the root of what its shares' own ends add in squares.
model::Interval contrast(const std::vector<Term>& terms, double z, double confidence) {
    double sum = 0;
    double down = 0;
    double up = 0;
    for (const auto& [rate, sign] : terms) {
        const model::Interval own = wilson(rate, z);
        const double below = rate.value() - own.low;
        const double above = own.high - rate.value();
        sum += sign * rate.value();
        down += sign > 0 ? below * below : above * above;
        up += sign > 0 ? above * above : below * below;
    }
    return {.low = sum - std::sqrt(down), .high = sum + std::sqrt(up), .confidence = confidence};
}

}  // namespace

Result<double> rate_greater_p(const Rate& x, const Rate& y) {
    if (!is_exposed(x) || !is_exposed(y)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("rates over exposures of {} and {} cannot be compared", x.exposure, y.exposure));
    }
    if (x.events == 0) return 1;
    const double share = x.exposure / (x.exposure + y.exposure);
    // P(X >= k) = I_share(k, n - k + 1)
    return incomplete_beta(static_cast<double>(x.events), static_cast<double>(y.events) + 1, share);
}

Result<model::Interval> share_difference(const Rate& x, const Rate& y, double confidence) {
    TRY(check_shares({x, y}));
    TRY(check_confidence(confidence));
    return contrast({{x, 1}, {y, -1}}, normal_quantile(0.5 + confidence / 2), confidence);
}

Result<model::Interval> share_change_difference(const ShareChanges& changes, double confidence) {
    TRY(check_changes(changes));
    TRY(check_confidence(confidence));
    return contrast(terms_of(changes), normal_quantile(0.5 + confidence / 2), confidence);
}

Result<double> share_change_p(const ShareChanges& changes) {
    TRY(check_changes(changes));
    const auto terms = terms_of(changes);
    // the lower end falls as z rises, from the difference itself at 0
    double inside = -kFarthest;
    double outside = kFarthest;
    for (int step = 0; step < 60; ++step) {
        const double z = (inside + outside) / 2;
        const model::Interval at = contrast(terms, std::abs(z), 0);
        (z >= 0 ? at.low > 0 : at.high > 0) ? inside = z : outside = z;
    }
    return 1 - normal_cdf((inside + outside) / 2);
}

}  // namespace penumbra::analysis::statistics
