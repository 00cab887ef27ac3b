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

}  // namespace penumbra::analysis::statistics
