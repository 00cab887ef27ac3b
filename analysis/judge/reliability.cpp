#include "analysis/judge/reliability.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <fmt/core.h>

#include "analysis/statistics/binomial.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits.hpp"

namespace penumbra::analysis::judge {

namespace {

/// One-sided bounds of the successes' share: both ends of the two-sided interval of twice the risk.
Result<model::Interval> success_bounds(std::uint64_t runs, std::uint64_t failures, double confidence) {
    auto bounds = TRY(statistics::clopper_pearson(runs - failures, runs, 1 - 2 * (1 - confidence)));
    bounds.confidence = confidence;
    return bounds;
}

/// Runs in all, none of the further ones failing, at which the lower bound reaches the share.
Result<std::uint64_t> runs_that_settle(const ReliabilityClaim& claim) {
    const auto holds = [&](std::uint64_t runs) -> Result<bool> {
        return TRY(success_bounds(runs, claim.failures, claim.confidence)).low >= claim.share;
    };
    std::uint64_t enough = std::max<std::uint64_t>(claim.runs, 1);
    while (enough < limits::kSampleValuesMax && !TRY(holds(enough)))
        enough *= 2;
    std::uint64_t low = claim.runs;
    while (low + 1 < enough) {
        const std::uint64_t middle = low + (enough - low) / 2;
        (TRY(holds(middle)) ? enough : low) = middle;
    }
    return enough;
}

}  // namespace

Result<ReliabilityResult> judge_reliability(const ReliabilityClaim& claim) {
    if (claim.failures > claim.runs || !(claim.share > 0 && claim.share < 1) ||
        !(claim.confidence > 0.5 && claim.confidence < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} failures of {} runs cannot be held against a share of {} with confidence {}",
                                claim.failures, claim.runs, claim.share, claim.confidence));
    }
    ReliabilityResult result{.share = {.low = 0, .high = 1, .confidence = claim.confidence}};
    if (claim.runs > 0) result.share = TRY(success_bounds(claim.runs, claim.failures, claim.confidence));
    if (result.share.low >= claim.share) {
        result.verdict = ClaimVerdict::kHolds;
        result.reason =
            fmt::format("{} of {} runs succeeded: at least {:.1f} % with {:.0f} % confidence",
                        claim.runs - claim.failures, claim.runs, 100 * result.share.low, 100 * claim.confidence);
    } else if (result.share.high < claim.share) {
        result.verdict = ClaimVerdict::kRefuted;
        result.reason = fmt::format("{} of {} runs failed: at most {:.1f} % succeed, {:.1f} % were claimed",
                                    claim.failures, claim.runs, 100 * result.share.high, 100 * claim.share);
    } else {
        result.runs_needed = TRY(runs_that_settle(claim)) - claim.runs;
        result.reason = fmt::format("{} failures of {} runs leave it open; {} more without a failure would show it",
                                    claim.failures, claim.runs, result.runs_needed);
    }
    return result;
}

Result<double> fidelity(std::span<const double> shadow, std::span<const double> production) {
    if (shadow.empty() || shadow.size() != production.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("fidelity needs as many answers of the shadow ({}) as of production ({})",
                                shadow.size(), production.size()));
    }
    std::vector<double> away;
    for (std::size_t i = 0; i < shadow.size(); ++i) {
        const double ratio = shadow[i] / production[i];
        if (!(ratio > 0) || !std::isfinite(ratio) || shadow[i] < 0) {
            return fail(
                ErrorCode::kInvalidArgument,
                fmt::format("fidelity needs values above 0; place {} has {} and {}", i, shadow[i], production[i]));
        }
        away.push_back(std::abs(std::log(ratio)));
    }
    return std::clamp(1 - statistics::median(std::move(away)) / std::numbers::ln2, 0.0, 1.0);
}

}  // namespace penumbra::analysis::judge
