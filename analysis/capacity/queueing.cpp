#include "analysis/capacity/queueing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/core.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

/// P(sum of independent exponentials > t) for means that are all different.
double sum_beyond(std::span<const double> means, double t) noexcept {
    double result = 0;
    for (std::size_t i = 0; i < means.size(); ++i) {
        double weight = 1;
        for (std::size_t k = 0; k < means.size(); ++k)
            weight *= k == i ? 1 : means[i] / (means[i] - means[k]);
        result += weight * std::exp(-t / means[i]);
    }
    return std::clamp(result, 0.0, 1.0);
}

/// The same for any means: what is nothing is left out, what is equal is moved apart by less than anyone measures.
double apart_beyond(std::array<double, 3> means, double t) noexcept {
    constexpr double kApart = 1e-4;
    std::ranges::sort(means);
    const double least = 1e-9 * means.back();
    std::size_t first = 0;
    while (first < means.size() && means[first] <= least)
        ++first;
    for (std::size_t i = first + 1; i < means.size(); ++i)
        means[i] = std::max(means[i], means[i - 1] * (1 + kApart));
    return first == means.size() ? 0 : sum_beyond(std::span(means).subspan(first), t);
}

}  // namespace

Result<Meeting> meet(unsigned servers, double busy) {
    if (servers == 0 || servers > limits::kServersMax || !(busy >= 0 && busy <= servers)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} of {} servers cannot be busy: 1 to {} servers can be calculated with", busy,
                                servers, limits::kServersMax));
    }
    const auto c = static_cast<double>(servers);
    // fewer than a billionth busy meets nobody, and would overflow the weights below
    if (busy < 1e-9) return Meeting{};
    if (busy == servers) return Meeting{.waits = 1, .others = c - 1, .pairs = c * (c - 1)};
    // B(n) = a B(n-1) / (n + a B(n-1)); then p(n), from the last server downwards, in units of p(c)
    double blocked = 1;
    for (unsigned n = 1; n <= servers; ++n)
        blocked = busy * blocked / (n + busy * blocked);
    Meeting meeting{.waits = c * blocked / (c - busy * (1 - blocked))};
    // without queue: p(n | n < c) by the same weights as in Erlang's loss system of c - 1 servers
    double weight = 1;
    double sum = 0;
    double first = 0;
    double second = 0;
    for (unsigned n = servers; n-- > 0;) {
        // weight of state n against state c - 1; falls or rises by (n + 1) / a
        sum += weight;
        first += weight * n;
        second += weight * (n + 1.0) * n;
        if (n > 0) weight *= n / busy;
        if (sum > 1e200) {
            weight /= sum;
            first /= sum;
            second /= sum;
            sum = 1;
        }
    }
    meeting.others = (1 - meeting.waits) * first / sum + meeting.waits * (c - 1);
    meeting.pairs = (1 - meeting.waits) * second / sum + meeting.waits * c * (c - 1);
    return meeting;
}

double Passage::beyond(double t) const noexcept {
    return waits * apart_beyond({wait_s, service_s, serial_s}, t) +
           (1 - waits) * apart_beyond({0, service_s, serial_s}, t);
}

double Passage::quantile_s(double q) const noexcept {
    double high = std::max(mean_s(), 1e-300);
    while (beyond(high) > 1 - q && std::isfinite(high))
        high *= 2;
    double low = 0;
    for (int i = 0; i < 100 && high - low > 1e-10 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (beyond(middle) > 1 - q ? low : high) = middle;
    }
    return high;
}

}  // namespace penumbra::analysis::capacity
