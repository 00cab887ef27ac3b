#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::judge {

/// "This remedy works in at least `share` of the cases, with `confidence`", put to so many independent runs.
struct ReliabilityClaim {
    double share = 0.95;
    double confidence = 0.95;
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
};

enum class ClaimVerdict : std::uint8_t { kHolds, kRefuted, kOpen };

struct ReliabilityResult {
    ClaimVerdict verdict = ClaimVerdict::kOpen;
    model::Interval share;          ///< of successes: one-sided bounds, each with the claim's confidence
    std::uint64_t runs_needed = 0;  ///< further runs without a failure that would settle it; 0 when settled
    std::string reason;
};

/// Clopper and Pearson's one-sided bounds of the share of successes: holds where the lower one reaches the claim,
/// refuted where the upper one lies below it. Errors: kInvalidArgument for more failures than runs, or a share or
/// confidence outside (0, 1).
[[nodiscard]] Result<ReliabilityResult> judge_reliability(const ReliabilityClaim& claim);

/// How like production a shadow answers, from the same requests or demands put to both: 1 - median |ln(shadow /
/// production)| / ln 2, clipped to [0, 1]; 1 is alike, 0 is off by two or more. Below 0.8 a verdict is "shadow only".
/// Errors: kInvalidArgument for none, different lengths, or a value that is not above 0.
[[nodiscard]] Result<double> fidelity(std::span<const double> shadow, std::span<const double> production);
inline constexpr double kTransferableFidelity = 0.8;

}  // namespace penumbra::analysis::judge
