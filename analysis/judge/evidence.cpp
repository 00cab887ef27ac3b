#include "analysis/judge/evidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "analysis/judge/block_test.hpp"
#include "analysis/statistics/normal.hpp"
#include "analysis/statistics/rate_test.hpp"

namespace penumbra::analysis::judge {

namespace {

constexpr std::size_t kBurstWindows = 5;

std::optional<double> log_ratio(Kpi kpi, const PairedWindows& pairs, std::size_t begin, std::size_t length) {
    const auto control = kpi_value(kpi, pairs.control.subspan(begin, length));
    const auto treated = kpi_value(kpi, pairs.treated.subspan(begin, length));
    if (!control || !treated) return std::nullopt;
    return comparable(kpi, *treated) - comparable(kpi, *control);
}

/// Differences of the arms, one a block of `length` windows taken together; a rest shorter than a block is left out,
/// and so is a block without a value in one arm.
std::vector<double> differences(Kpi kpi, const PairedWindows& pairs, std::size_t length) {
    std::vector<double> values;
    for (std::size_t begin = 0; begin + length <= pairs.size(); begin += length) {
        if (const auto value = log_ratio(kpi, pairs, begin, length)) values.push_back(*value);
    }
    return values;
}

/// P(FAIL) if the effect were the margin: the estimate must pass both harm_min and the critical value.
double power_at_margin(const KpiRule& rule, double error, double alpha) noexcept {
    const double needed =
        std::max(shift_of(rule.kpi, harm_min_of(rule)), statistics::normal_quantile(1 - alpha) * error);
    const double room = shift_of(rule.kpi, rule.margin) - needed;
    if (error <= 0) return room > 0 ? 1 : 0;
    return statistics::normal_cdf(room / error);
}

/// How many times worse than binomial the failures' counts scatter from window to window (McCullagh and Nelder 4.5), at
/// least 1: failures come in bursts, and a burst is not so many independent ones.
double overdispersion(std::span<const model::KpiWindow> windows, double share) noexcept {
    if (share <= 0 || share >= 1 || windows.size() < 2) return 1;
    double squares = 0;
    double used = 0;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        const Attempts attempts = attempts_of(windows.subspan(i, 1));
        if (attempts.requests == 0) continue;
        const auto n = static_cast<double>(attempts.requests);
        const double away = static_cast<double>(attempts.failures) - n * share;
        squares += away * away / (n * share * (1 - share));
        used += 1;
    }
    return used < 2 ? 1 : std::max(1.0, squares / (used - 1));
}

struct DilutedRate {
    statistics::Rate rate;  ///< of as many requests as are worth that many independent ones
    double share = 0;
    double dilution = 1;
};

DilutedRate diluted(std::span<const model::KpiWindow> windows) {
    const Attempts all = attempts_of(windows);
    const auto requests = static_cast<double>(all.requests);
    const double share = static_cast<double>(all.failures) / requests;
    double dilution = overdispersion(windows, share);
    // blocks see what single windows do not: bursts that last
    std::vector<model::KpiWindow> merged;
    for (std::size_t begin = 0; begin + kBurstWindows <= windows.size(); begin += kBurstWindows) {
        const Attempts attempts = attempts_of(windows.subspan(begin, kBurstWindows));
        merged.push_back({.requests = attempts.requests, .errors = attempts.failures});
    }
    dilution = std::max(dilution, overdispersion(merged, share));
    const double exposure = requests / dilution;
    const auto events = static_cast<std::uint64_t>(std::llround(static_cast<double>(all.failures) / dilution));
    return {.rate = {.events = std::min(events, static_cast<std::uint64_t>(exposure)), .exposure = exposure},
            .share = share,
            .dilution = dilution};
}

/// What the shares of both arms say of harm: alone, or against what they were before.
struct ShareTest {
    double shift = 0;
    double p_harm = 1;
    model::Interval interval;
    double variance = 0;  ///< of the baseline's part of the shift
};

/// Variance of a share, with half a failure more than were seen so that none is no certainty.
double variance_of(const DilutedRate& diluted) noexcept {
    const double n = diluted.rate.exposure;
    const double share = std::min(0.5, std::max(diluted.share, 0.5 / n));
    return share * (1 - share) / n;
}

Result<ShareTest> test_shares(const DilutedRate& control, const DilutedRate& treated, double confidence) {
    return ShareTest{.shift = treated.share - control.share,
                     .p_harm = TRY(statistics::rate_greater_p(treated.rate, control.rate)),
                     .interval = TRY(statistics::share_difference(treated.rate, control.rate, confidence))};
}

Result<ShareTest> test_share_changes(KpiMeasurement& m, const std::array<DilutedRate, 2>& control,
                                     const std::array<DilutedRate, 2>& treated, double confidence) {
    const statistics::ShareChanges changes{.x_before = treated[0].rate,
                                           .x_after = treated[1].rate,
                                           .y_before = control[0].rate,
                                           .y_after = control[1].rate};
    m.before_gap = treated[0].share - control[0].share;
    m.before_gap_p = std::min(1.0, 2 * std::min(TRY(statistics::rate_greater_p(treated[0].rate, control[0].rate)),
                                                TRY(statistics::rate_greater_p(control[0].rate, treated[0].rate))));
    return ShareTest{.shift = treated[1].share - control[1].share - m.before_gap,
                     .p_harm = TRY(statistics::share_change_p(changes)),
                     .interval = TRY(statistics::share_change_difference(changes, confidence)),
                     .variance = variance_of(control[0]) + variance_of(treated[0])};
}

Result<void> measure_shares(KpiMeasurement& m, const KpiRule& rule, const LabRules& rules, std::size_t deciding,
                            const PairedWindows& before, const PairedWindows& after) {
    const double confidence = 1 - 2 * rules.alpha_pass;
    const DilutedRate control = diluted(after.control);
    const DilutedRate treated = diluted(after.treated);
    ShareTest test = before.size() == 0 ? TRY(test_shares(control, treated, confidence))
                                        : TRY(test_share_changes(m, {diluted(before.control), control},
                                                                 {diluted(before.treated), treated}, confidence));
    m.shift = test.shift;
    m.p_harm = test.p_harm;
    // rounding the diluted counts may move the interval off the plain difference
    test.interval.low = std::min(test.interval.low, m.shift);
    test.interval.high = std::max(test.interval.high, m.shift);
    m.upper = test.interval.high;
    const double worse = std::min(1.0, control.share + rule.margin);
    m.standard_error = std::sqrt(control.share * (1 - control.share) / control.rate.exposure +
                                 worse * (1 - worse) / treated.rate.exposure + test.variance);
    m.evidence.effective_n = static_cast<double>(after.size()) / std::max(control.dilution, treated.dilution);
    m.evidence.effect = m.shift;
    m.evidence.interval = test.interval;
    m.evidence.power = power_at_margin(rule, m.standard_error, rules.alpha_fail / static_cast<double>(deciding));
    m.blocks = after.size();
    m.measured = true;
    return {};
}

Result<void> measure_ratio(KpiMeasurement& m, const KpiRule& rule, const LabRules& rules, std::size_t deciding,
                           const PairedWindows& before, const PairedWindows& after) {
    const auto single_before = differences(rule.kpi, before, 1);
    const auto single_after = differences(rule.kpi, after, 1);
    const Wandering wandering = wandering_of(single_before, single_after);
    const std::size_t length = wandering.block_length;
    const auto blocks_before = differences(rule.kpi, before, length);
    const auto blocks_after = differences(rule.kpi, after, length);
    m.windows_per_block = static_cast<double>(length);
    m.blocks = blocks_before.empty() && before.size() == 0 ? blocks_after.size()
                                                           : std::min(blocks_before.size(), blocks_after.size());
    m.evidence.n = single_after.size();
    m.evidence.effective_n = static_cast<double>(single_after.size()) / wandering.time;
    const std::size_t needed = blocks_needed(rules.alpha_fail, deciding);
    if (m.blocks < needed) {
        m.evidence.reason = fmt::format("{} pairs of windows make {} independent blocks of {}; {} are needed",
                                        single_after.size(), m.blocks, length, needed);
        return {};
    }
    const BlockTest test = TRY(block_test(blocks_before, blocks_after, 1 - 2 * rules.alpha_pass));
    m.shift = test.shift;
    m.p_harm = test.p_harm;
    m.upper = test.interval.high;
    m.standard_error = test.standard_error;
    m.measured = true;
    m.evidence.effect = effect_of(rule.kpi, test.shift);
    m.evidence.interval = {.low = effect_of(rule.kpi, test.interval.low),
                           .high = effect_of(rule.kpi, test.interval.high),
                           .confidence = test.interval.confidence};
    // half of alpha: block_test doubles the smaller of two p
    m.evidence.power =
        power_at_margin(rule, test.standard_error, rules.alpha_fail / (2 * static_cast<double>(deciding)));
    if (!blocks_before.empty()) {
        const BlockTest gap = TRY(block_test({}, blocks_before, 1 - 2 * rules.alpha_pass));
        std::vector<double> mirrored = blocks_before;
        for (double& value : mirrored)
            value = -value;
        const BlockTest other_way = TRY(block_test({}, mirrored, 1 - 2 * rules.alpha_pass));
        m.before_gap = gap.shift;
        m.before_gap_p = std::min(1.0, 2 * std::min(gap.p_harm, other_way.p_harm));
    }
    return {};
}

}  // namespace

double harm_min_of(const KpiRule& rule) noexcept {
    return rule.harm_min > 0 ? rule.harm_min : rule.margin / 2;
}

std::size_t blocks_needed(double alpha, std::size_t kpis) noexcept {
    const double smallest = 2 * static_cast<double>(std::max<std::size_t>(kpis, 1)) / alpha;
    return std::max<std::size_t>(5, static_cast<std::size_t>(std::ceil(std::log2(smallest))));
}

Result<KpiMeasurement> measure_kpi(const KpiRule& rule, const LabRules& rules, std::size_t deciding,
                                   const PairedWindows& before, const PairedWindows& after) {
    KpiMeasurement m;
    m.evidence.kpi = std::string(to_string(rule.kpi));
    m.evidence.margin = rule.margin;
    m.evidence.n = after.size();
    m.evidence.interval.confidence = 1 - 2 * rules.alpha_pass;
    if (rule.kpi == Kpi::kErrorRate) {
        TRY(measure_shares(m, rule, rules, deciding, before, after));
    } else {
        TRY(measure_ratio(m, rule, rules, deciding, before, after));
    }
    return m;
}

}  // namespace penumbra::analysis::judge
