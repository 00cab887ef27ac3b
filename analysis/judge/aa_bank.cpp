#include "analysis/judge/aa_bank.hpp"

#include <cmath>

#include <fmt/core.h>

namespace penumbra::analysis::judge {

Result<BankVerdict> judge_by_bank(const std::vector<AaRun>& bank, double effect, WallTime now,
                                  const std::string& configuration, const BankRules& rules) {
    if (!std::isfinite(effect) || !(rules.alpha > 0 && rules.alpha < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("an effect of {} at alpha {} cannot be held against a bank", effect, rules.alpha));
    }
    BankVerdict verdict;
    std::size_t as_large = 0;
    std::size_t old = 0;
    std::size_t later = 0;
    std::size_t other = 0;
    for (const AaRun& run : bank) {
        const bool is_later = run.at > now;
        const bool is_old = !is_later && now - run.at > rules.age_max;
        const bool same = run.configuration == configuration;
        later += same && is_later ? 1 : 0;
        old += same && is_old ? 1 : 0;
        other += same ? 0 : 1;
        if (is_later || is_old || !same || !std::isfinite(run.effect)) continue;
        ++verdict.runs;
        as_large += run.effect >= effect ? 1 : 0;
    }
    // 1 / alpha - 1, with room for alpha's own rounding
    const auto enough = static_cast<std::size_t>(std::ceil(1 / rules.alpha - 1 - 1e-9));
    if (verdict.runs < enough) {
        verdict.runs_needed = enough - verdict.runs;
        verdict.reason = fmt::format(
            "{} of {} A/A runs count ({} too old, {} later than the trial, {} of another configuration); "
            "alpha {} needs {}",
            verdict.runs, bank.size(), old, later, other, rules.alpha, enough);
        return verdict;
    }
    verdict.p = static_cast<double>(1 + as_large) / static_cast<double>(verdict.runs + 1);
    verdict.reason = fmt::format("{} of {} A/A runs showed as much without any change", as_large, verdict.runs);
    return verdict;
}

}  // namespace penumbra::analysis::judge
