#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

/// Events in an exposure: errors of so many requests, crashes of so many hours.
struct Rate {
    std::uint64_t events = 0;
    double exposure = 0;
    [[nodiscard]] double value() const noexcept { return static_cast<double>(events) / exposure; }
};

/// One-sided p of rate(x) <= rate(y): given their sum, x's events are Binomial(sum, exposure share) (Przyborowski and
/// Wilenski 1940). Exact at any count: 7 against 0 at equal exposure is 2^-7. Errors: kInvalidArgument, exposure <= 0.
[[nodiscard]] Result<double> rate_greater_p(const Rate& x, const Rate& y);

/// Interval of share(x) - share(y), for events that are at most one each request: Newcombe's hybrid of Wilson scores
/// (Stat. Med. 17, 1998, method 10); never empty, also at 0 events. Errors: kInvalidArgument, events > exposure.
[[nodiscard]] Result<model::Interval> share_difference(const Rate& x, const Rate& y, double confidence);

/// How two groups' shares changed.
struct ShareChanges {
    Rate x_before, x_after, y_before, y_after;
};
/// Interval of (x_after - x_before) - (y_after - y_before): the same hybrid over four independent shares (Zou and
/// Donner, Stat. Med. 27, 2008). Errors: as share_difference.
[[nodiscard]] Result<model::Interval> share_change_difference(const ShareChanges& changes, double confidence);
/// One-sided p of that difference <= 0: half of what is left of the confidence at which the interval ends at 0; 1/2 to
/// 1 where the difference itself is <= 0. Absolute error 1e-12. Errors: kInvalidArgument, events > exposure.
[[nodiscard]] Result<double> share_change_p(const ShareChanges& changes);

}  // namespace penumbra::analysis::statistics
