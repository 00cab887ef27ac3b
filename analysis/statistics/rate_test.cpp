#include "analysis/statistics/rate_test.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "analysis/statistics/binomial.hpp"
#include "analysis/statistics/normal.hpp"

namespace penumbra::analysis::statistics {

namespace {

model::Interval wilson(const Rate& rate, double confidence) {
    const double z = normal_quantile(0.5 + confidence / 2);
    const double n = rate.exposure;
    const double share = rate.value();
    const double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double reach = z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    return {.low = std::max(0.0, centre - reach), .high = std::min(1.0, centre + reach), .confidence = confidence};
}

bool is_exposed(const Rate& rate) noexcept {
    return std::isfinite(rate.exposure) && rate.exposure > 0;
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
    for (const Rate& rate : {x, y}) {
        if (!is_exposed(rate) || static_cast<double>(rate.events) > rate.exposure) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{} events in {} requests are not a share", rate.events, rate.exposure));
        }
    }
    if (!(confidence > 0 && confidence < 1)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a confidence of {} is not between 0 and 1", confidence));
    }
    const auto wx = wilson(x, confidence);
    const auto wy = wilson(y, confidence);
    const double difference = x.value() - y.value();
    return model::Interval{.low = difference - std::hypot(x.value() - wx.low, wy.high - y.value()),
                           .high = difference + std::hypot(wx.high - x.value(), y.value() - wy.low),
                           .confidence = confidence};
}

}  // namespace penumbra::analysis::statistics
