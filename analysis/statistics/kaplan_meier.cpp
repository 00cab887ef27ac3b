#include "analysis/statistics/kaplan_meier.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "analysis/statistics/normal.hpp"
#include "base/limits.hpp"

namespace penumbra::analysis::statistics {

double Survival::share_after(double time) const noexcept {
    double share = 1;
    for (const auto& step : steps) {
        if (step.time > time) break;
        share = step.share;
    }
    return share;
}

Result<Survival> kaplan_meier(std::span<const Duration> durations, double confidence) {
    const auto usable = [](const Duration& d) { return std::isfinite(d.time) && d.time >= 0; };
    if (durations.empty() || durations.size() > limits::kSampleValuesMax || !std::ranges::all_of(durations, usable) ||
        !(confidence > 0 && confidence < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("survival needs 1 to {} times that are not negative, and a confidence inside (0, 1)",
                                limits::kSampleValuesMax));
    }
    std::vector<Duration> sorted(durations.begin(), durations.end());
    std::ranges::sort(sorted, {}, &Duration::time);
    const double z = normal_quantile(0.5 + confidence / 2);
    Survival result;
    double share = 1;
    double greenwood = 0;
    for (std::size_t i = 0; i < sorted.size();) {
        const double at_risk = static_cast<double>(sorted.size() - i);
        const double time = sorted[i].time;
        double events = 0;
        for (; i < sorted.size() && sorted[i].time == time; ++i)
            events += sorted[i].happened ? 1 : 0;
        if (events == 0) continue;
        share *= 1 - events / at_risk;
        greenwood += at_risk > events ? events / (at_risk * (at_risk - events)) : 0;
        const double error = std::sqrt(greenwood);
        result.steps.push_back({.time = time,
                                .at_risk = at_risk,
                                .events = events,
                                .share = share,
                                .standard_error = share * error,
                                .interval = {.low = share * std::exp(-z * error),
                                             .high = std::min(1.0, share * std::exp(z * error)),
                                             .confidence = confidence}});
        if (!result.median && share <= 0.5) result.median = time;
    }
    return result;
}

}  // namespace penumbra::analysis::statistics
