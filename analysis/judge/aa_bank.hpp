#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::judge {

/// One A/A run: the effect that was measured although nothing was done, and what it was measured on.
struct AaRun {
    double effect = 0;  ///< difference in differences on the KPI's own scale, as a trial of the same length has it
    WallTime at{};
    std::string configuration;  ///< hash of what ran: another one is another pair
};

struct BankRules {
    double alpha = 0.05;
    std::chrono::hours age_max = std::chrono::hours(7 * 24);
};

/// What a bank says of a trial's effect. `p` is exact under exchangeability, whatever the windows of a run share.
struct BankVerdict {
    std::optional<double> p;  ///< (1 + runs with an effect at least as large) / (runs + 1); nullopt: the bank is no use
    std::size_t runs = 0;     ///< that count: young enough, not later than the trial, of this configuration
    std::size_t runs_needed = 0;  ///< further A/A runs before alpha can be reached; 0: enough
    std::string reason;
};

/// Conformal p of an effect against a bank of A/A runs on the same pair (Vovk, Gammerman, Shafer 2005; one-sided, more
/// is harm). A bank that is too small for alpha, too old, dated after `now` or of another configuration gives no p, and
/// says so. O(runs). Errors: kInvalidArgument for an effect that is not a number or alpha outside (0, 1).
[[nodiscard]] Result<BankVerdict> judge_by_bank(const std::vector<AaRun>& bank, double effect, WallTime now,
                                                const std::string& configuration, const BankRules& rules);

}  // namespace penumbra::analysis::judge
