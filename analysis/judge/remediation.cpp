#include "analysis/judge/remediation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include <fmt/core.h>

#include "analysis/judge/block_test.hpp"
#include "analysis/judge/kpi.hpp"
#include "analysis/judge/pairing.hpp"

namespace penumbra::analysis::judge {

namespace {

constexpr std::array<std::string_view, 6> kNames = {"FIXES",   "PARTIAL",        "NO_EFFECT",
                                                    "HARMFUL", "NOT_REPRODUCED", "INCONCLUSIVE"};
constexpr std::size_t kBlocksMin = 5;

using Windows = std::vector<model::KpiWindow>;
using Stretch = std::span<const model::KpiWindow>;

/// The KPI of one arm on its comparable scale, or of treated against control, in blocks of `length` windows.
std::vector<double> blocks(Kpi kpi, Stretch arm, const Stretch* against, std::size_t length) {
    std::vector<double> values;
    for (std::size_t begin = 0; begin + length <= arm.size(); begin += length) {
        const auto own = kpi_value(kpi, arm.subspan(begin, length));
        if (!own) continue;
        double value = comparable(kpi, *own);
        if (against != nullptr) {
            const auto other = kpi_value(kpi, against->subspan(begin, length));
            if (!other) continue;
            value -= comparable(kpi, *other);
        }
        values.push_back(value);
    }
    return values;
}

/// How the KPI changed from `before` to `after`; nullopt with fewer than kBlocksMin blocks on a side.
Result<std::optional<BlockTest>> change(Kpi kpi, const std::array<const Stretch*, 2>& arm,
                                        const std::array<const Stretch*, 2>& against, double confidence) {
    const std::size_t length =
        wandering_of(blocks(kpi, *arm[0], against[0], 1), blocks(kpi, *arm[1], against[1], 1)).block_length;
    const auto before = blocks(kpi, *arm[0], against[0], length);
    const auto after = blocks(kpi, *arm[1], against[1], length);
    if (std::min(before.size(), after.size()) < kBlocksMin) return std::optional<BlockTest>();
    return std::optional(TRY((kpi == Kpi::kErrorRate ? mean_test : block_test)(before, after, confidence)));
}

struct Changes {
    BlockTest control;
    BlockTest treated;
    BlockTest between;  ///< treated less control: below 0 is improvement
};

RemediationVerdict decide(const RemediationRules& rules, const Changes& changes) {
    RemediationVerdict verdict;
    const double fault = changes.control.shift;
    verdict.fault = effect_of(rules.signal, fault);
    verdict.remaining = effect_of(rules.signal, changes.treated.shift);
    const std::string_view name = to_string(rules.signal);
    const double needed = shift_of(rules.signal, rules.fault_min);
    const model::Interval& shown = changes.control.interval;
    if (shown.high < needed) {
        verdict.kind = Remediation::kNotReproduced;
        verdict.reason = fmt::format("the fault did not show in control: {} changed by {}, at most by {}; {} is needed",
                                     name, in_words(rules.signal, verdict.fault),
                                     in_words(rules.signal, effect_of(rules.signal, shown.high)),
                                     in_words(rules.signal, rules.fault_min));
        return verdict;
    }
    if (shown.low < needed) {
        verdict.reason = fmt::format(
            "whether the fault shows in control is not sure: {} changed by {} to {}, {} is "
            "needed: more windows, or a larger fault",
            name, in_words(rules.signal, effect_of(rules.signal, shown.low)),
            in_words(rules.signal, effect_of(rules.signal, shown.high)), in_words(rules.signal, rules.fault_min));
        return verdict;
    }
    verdict.reproduced = true;
    const model::Interval& between = changes.between.interval;
    verdict.recovered = {.low = -between.high / fault, .high = -between.low / fault, .confidence = between.confidence};
    const bool better = between.high < 0;
    const bool gone = changes.treated.interval.high < shift_of(rules.signal, rules.remaining_max);
    // what is sure but too small to matter is neither harm nor help: a placebo is off by chance, too
    if (between.low > 0 && effect_of(rules.signal, changes.between.shift) >= rules.remaining_max) {
        verdict.kind = Remediation::kHarmful;
        verdict.reason = fmt::format("{} is worse with the remedy than with the fault alone", name);
    } else if (better && gone) {
        verdict.kind = Remediation::kFixes;
        verdict.reason =
            fmt::format("{} changed by {} in control; with the remedy less than {} remains", name,
                        in_words(rules.signal, verdict.fault), in_words(rules.signal, rules.remaining_max));
    } else if (verdict.recovered.high < rules.improvement_min) {
        verdict.kind = Remediation::kNoEffect;
        verdict.reason = fmt::format("the remedy takes away at most {:.0f} % of the rise of {}",
                                     100 * std::max(0.0, verdict.recovered.high), name);
    } else if (better) {
        verdict.kind = Remediation::kPartial;
        verdict.reason = fmt::format("the remedy takes away {:.0f} to {:.0f} % of the rise of {}",
                                     100 * verdict.recovered.low, 100 * verdict.recovered.high, name);
    } else {
        verdict.reason =
            fmt::format("the remedy takes away {:.0f} to {:.0f} % of the rise of {}: more windows are needed",
                        100 * verdict.recovered.low, 100 * verdict.recovered.high, name);
    }
    return verdict;
}

/// Harm to another KPI is harm; a cure counts only where harm of every other KPI's margin is excluded.
void weigh_others(RemediationVerdict& verdict, const model::Verdict& side) {
    verdict.others = side.evidence;
    if (side.kind == model::VerdictKind::kFail) {
        verdict.kind = Remediation::kHarmful;
        verdict.reason = side.reason;
    } else if (side.kind != model::VerdictKind::kPass &&
               (verdict.kind == Remediation::kFixes || verdict.kind == Remediation::kPartial)) {
        verdict.reason += fmt::format(", but whether it harms another KPI is not known: {}", side.reason);
        verdict.kind = Remediation::kInconclusive;
    }
}

Result<void> check(const RemediationRules& rules) {
    const auto share = [](double v) { return v > 0 && v < 1; };
    if (!(rules.fault_min > 0) || !(rules.remaining_max > 0) || !share(rules.improvement_min) ||
        !(rules.alpha > 0 && rules.alpha < 0.5)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("no remedy can be judged by a fault of {}, {} of it left, an improvement of {} and "
                                "alpha {}: all above 0, the improvement below 1, alpha below 0.5",
                                rules.fault_min, rules.remaining_max, rules.improvement_min, rules.alpha));
    }
    return {};
}

/// The control hosts' windows of one time, taken together.
Windows together(const std::vector<HostWindows>& hosts, Windows HostWindows::* stretch) {
    std::map<WallTime, model::KpiWindow> sums;
    std::map<WallTime, std::size_t> hosts_at;
    for (const HostWindows& host : hosts) {
        for (const model::KpiWindow& window : host.*stretch) {
            ++hosts_at[window.begin];
            auto [place, fresh] = sums.emplace(window.begin, window);
            if (fresh) continue;
            model::KpiWindow& sum = place->second;
            sum.requests += window.requests;
            sum.errors += window.errors;
            sum.response_time.insert(sum.response_time.end(), window.response_time.begin(), window.response_time.end());
            sum.guest_cpu_share += window.guest_cpu_share;
            sum.disk_read_bytes += window.disk_read_bytes;
            sum.disk_write_bytes += window.disk_write_bytes;
        }
    }
    Windows result;
    // a time that one host lacks would look like less load on all of them
    for (auto& [at, window] : sums) {
        if (hosts_at[at] == hosts.size()) result.push_back(std::move(window));
    }
    return result;
}

}  // namespace

std::string_view to_string(Remediation kind) noexcept {
    return kNames[static_cast<std::size_t>(kind)];
}

Result<RemediationVerdict> judge_remediation(const RemediationRules& rules, const TwinRun& run) {
    TRY(check(rules));
    const PairedWindows before = TRY(pair_windows(run.before, 0));
    const PairedWindows after = TRY(pair_windows(run.after, run.windows_expected));
    for (const PairedWindows* pairs : {&before, &after}) {
        std::string fault = pairs->size() == 0 ? "there is no window that both arms measured"
                                               : data_fault(*pairs, rules.others.quality);
        if (!fault.empty()) return RemediationVerdict{.reason = std::move(fault)};
    }
    const double confidence = 1 - 2 * rules.alpha;
    const auto control = TRY(change(rules.signal, {&before.control, &after.control}, {nullptr, nullptr}, confidence));
    const auto treated = TRY(change(rules.signal, {&before.treated, &after.treated}, {nullptr, nullptr}, confidence));
    const auto between =
        TRY(change(rules.signal, {&before.treated, &after.treated}, {&before.control, &after.control}, confidence));
    if (!control || !treated || !between) {
        return RemediationVerdict{.reason =
                                      fmt::format("{} and {} windows make too few blocks: run the trial for longer",
                                                  before.size(), after.size())};
    }
    RemediationVerdict verdict = decide(rules, {.control = *control, .treated = *treated, .between = *between});
    if (!verdict.reproduced) return verdict;
    LabRules others = rules.others;
    if (others.kpis.empty()) others.kpis = default_kpis();
    std::erase_if(others.kpis, [&](const KpiRule& rule) { return rule.kpi == rules.signal; });
    if (others.kpis.empty()) return verdict;
    weigh_others(verdict, TRY(judge_twins(others, run)));
    return verdict;
}

Result<model::Verdict> judge_production(const LabRules& rules, const HostWindows& canary,
                                        const std::vector<HostWindows>& controls) {
    if (controls.empty() || canary.before.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a production canary needs control hosts ({}) and windows before the change ({})",
                                controls.size(), canary.before.size()));
    }
    const Windows control_before = together(controls, &HostWindows::before);
    const Windows control_after = together(controls, &HostWindows::after);
    LabRules effective = rules;
    effective.quality.input_skew_max = std::numeric_limits<double>::infinity();
    return judge_twins(effective, {.before = {.control = control_before, .treated = canary.before},
                                   .after = {.control = control_after, .treated = canary.after}});
}

}  // namespace penumbra::analysis::judge
