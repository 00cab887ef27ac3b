#include "analysis/judge/lab_v1.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "analysis/judge/evidence.hpp"
#include "analysis/judge/pairing.hpp"
#include "analysis/statistics/holm.hpp"
#include "analysis/statistics/normal.hpp"
#include "analysis/statistics/power.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::judge {

namespace {

using model::VerdictKind;

constexpr double kMorePower = 0.9;  ///< what "more needed" aims at

Result<void> check_rules(const LabRules& rules) {
    const auto is_rate = [](double alpha) { return alpha > 0 && alpha < 0.5; };
    if (!is_rate(rules.alpha_fail) || !is_rate(rules.alpha_pass)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("alpha_fail {} and alpha_pass {} must lie between 0 and 0.5", rules.alpha_fail,
                                rules.alpha_pass));
    }
    for (const auto& rule : rules.kpis) {
        if (!(rule.margin > 0) || !std::isfinite(rule.margin) || !(rule.harm_min >= 0) ||
            !(rule.harm_min <= rule.margin)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{} has margin {} and harm_min {}: 0 <= harm_min <= margin, 0 < margin",
                                    to_string(rule.kpi), rule.margin, rule.harm_min));
        }
    }
    for (const auto& guard : rules.guards) {
        if (guard.breaches == 0 || guard.breaches > guard.of || !std::isfinite(guard.limit)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("the guard on {} trips at {} of {} windows above {}: no sense",
                                    to_string(guard.kpi), guard.breaches, guard.of, guard.limit));
        }
    }
    const auto decides = [](const KpiRule& rule) { return rule.role == Role::kDecides; };
    if (std::ranges::none_of(rules.kpis, decides)) {
        return fail(ErrorCode::kInvalidArgument, "no KPI of the trial decides: name at least one with a margin");
    }
    return {};
}

/// FAIL, PASS or INCONCLUSIVE of one KPI, with the sentence that says why.
void decide(KpiMeasurement& m, const KpiRule& rule, double alpha_fail) {
    auto& evidence = m.evidence;
    if (!m.measured) return;
    const std::string measured =
        fmt::format("{} {} ({} to {} at {:.0f} %), p {:.2g}", evidence.kpi, in_words(rule.kpi, evidence.effect),
                    in_words(rule.kpi, evidence.interval.low), in_words(rule.kpi, evidence.interval.high),
                    100 * evidence.interval.confidence, evidence.p_value);
    if (evidence.p_value <= alpha_fail && evidence.effect >= harm_min_of(rule)) {
        evidence.verdict = VerdictKind::kFail;
        evidence.reason = measured + ": harmed";
    } else if (m.upper < shift_of(rule.kpi, rule.margin)) {
        evidence.verdict = VerdictKind::kPass;
        evidence.reason = fmt::format("{}: harm of {} is excluded", measured, in_words(rule.kpi, rule.margin));
    } else {
        evidence.reason =
            fmt::format("{}: harm of {} is neither shown nor excluded", measured, in_words(rule.kpi, rule.margin));
    }
}

/// Windows that would decide this KPI with 90 % if its effect stays what it is now; nullopt when it sits at the margin.
std::optional<double> windows_needed(const KpiMeasurement& m, const KpiRule& rule, const LabRules& rules,
                                     std::size_t deciding) {
    const double fewest = static_cast<double>(blocks_needed(rules.alpha_fail, deciding)) * m.windows_per_block;
    if (!m.measured) return fewest;
    const double z_pass = statistics::normal_quantile(1 - rules.alpha_pass) + statistics::normal_quantile(kMorePower);
    const double z_fail = statistics::normal_quantile(1 - rules.alpha_fail / (2 * static_cast<double>(deciding))) +
                          statistics::normal_quantile(kMorePower);
    const double room = shift_of(rule.kpi, rule.margin) - std::max(0.0, m.shift);
    const double to_pass = room > 0 ? z_pass * m.standard_error / room : INFINITY;
    const double to_fail =
        m.shift >= shift_of(rule.kpi, harm_min_of(rule)) ? z_fail * m.standard_error / m.shift : INFINITY;
    const double ratio = std::min(to_pass, to_fail);
    // errors shrink with the root of the data
    const double needed = static_cast<double>(m.blocks) * m.windows_per_block * std::max(1.25, ratio * ratio);
    if (!std::isfinite(needed)) return std::nullopt;
    return std::max(needed, fewest);
}

class TwinJudgement {
 public:
    TwinJudgement(const LabRules& rules, const PairedWindows& before, const PairedWindows& after)
        : rules_(rules), before_(before), after_(after) {
        deciding_ = static_cast<std::size_t>(
            std::ranges::count(rules.kpis, Role::kDecides, [](const KpiRule& rule) { return rule.role; }));
    }

    Result<model::Verdict> run() {
        for (const auto& rule : rules_.kpis) {
            measured_.push_back(TRY(measure_kpi(rule, rules_, deciding_, before_, after_)));
        }
        correct();
        for (std::size_t i = 0; i < measured_.size(); ++i)
            decide(measured_[i], rules_.kpis[i], rules_.alpha_fail);
        summarise();
        return std::move(verdict_);
    }

 private:
    void correct() {
        std::vector<double> p;
        for (std::size_t i = 0; i < measured_.size(); ++i) {
            if (rules_.kpis[i].role == Role::kDecides) p.push_back(measured_[i].p_harm);
        }
        const auto corrected = statistics::holm(p);
        std::size_t next = 0;
        for (std::size_t i = 0; i < measured_.size(); ++i) {
            const bool decides = rules_.kpis[i].role == Role::kDecides;
            measured_[i].evidence.p_value = decides ? corrected[next++] : measured_[i].p_harm;
        }
    }

    /// The twins' own difference before the change; when it is large and sure, nothing after it can be blamed on the
    /// change.
    [[nodiscard]] std::string unlike_twins() const {
        for (std::size_t i = 0; i < measured_.size(); ++i) {
            const auto& rule = rules_.kpis[i];
            const auto& m = measured_[i];
            if (rule.role != Role::kDecides || std::abs(m.before_gap) < shift_of(rule.kpi, rule.margin)) continue;
            if (m.before_gap_p * static_cast<double>(deciding_) > rules_.alpha_fail) continue;
            return fmt::format("the arms differed before the change: {} of treated lay {} from control", m.evidence.kpi,
                               in_words(rule.kpi, effect_of(rule.kpi, m.before_gap)));
        }
        return {};
    }

    void summarise() {
        bool all_pass = true;
        const KpiMeasurement* worst = nullptr;
        const KpiMeasurement* open = nullptr;
        verdict_.n = after_.size();
        verdict_.effective_n = INFINITY;
        verdict_.power = 1;
        for (std::size_t i = 0; i < measured_.size(); ++i) {
            const auto& m = measured_[i];
            verdict_.evidence.push_back(m.evidence);
            if (rules_.kpis[i].role != Role::kDecides) continue;
            verdict_.effective_n = std::min(verdict_.effective_n, m.evidence.effective_n);
            verdict_.power = std::min(verdict_.power, m.evidence.power);
            all_pass = all_pass && m.evidence.verdict == VerdictKind::kPass;
            const bool failed = m.evidence.verdict == VerdictKind::kFail;
            if (failed && (worst == nullptr || m.p_harm < worst->p_harm)) worst = &m;
            if (m.evidence.verdict == VerdictKind::kInconclusive && open == nullptr) open = &m;
        }
        if (std::string unlike = unlike_twins(); !unlike.empty()) {
            verdict_.kind = VerdictKind::kInvalid;
            verdict_.reason = std::move(unlike);
        } else if (worst != nullptr) {
            verdict_.kind = VerdictKind::kFail;
            verdict_.reason = worst->evidence.reason;
        } else if (all_pass) {
            verdict_.kind = VerdictKind::kPass;
            verdict_.reason = fmt::format("no KPI is harmed by its margin; {} pairs, power {:.0f} %", after_.size(),
                                          100 * verdict_.power);
        } else {
            verdict_.kind = VerdictKind::kInconclusive;
            verdict_.reason = open->evidence.reason;
            verdict_.more_needed = more_needed();
        }
    }

    [[nodiscard]] std::optional<std::chrono::seconds> more_needed() const {
        double needed = 0;
        for (std::size_t i = 0; i < measured_.size(); ++i) {
            if (rules_.kpis[i].role != Role::kDecides || measured_[i].evidence.verdict != VerdictKind::kInconclusive)
                continue;
            const auto windows = windows_needed(measured_[i], rules_.kpis[i], rules_, deciding_);
            if (!windows) return std::nullopt;
            needed = std::max(needed, *windows);
        }
        const double have = static_cast<double>(after_.size());
        if (needed > limits::kMoreDataFactorMax * std::max(have, 30.0) || after_.size() == 0) return std::nullopt;
        const double windows = std::max(1.0, std::ceil(needed - have));
        const double window_seconds = std::chrono::duration<double>(after_.control.front().length).count();
        return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(windows * window_seconds)));
    }

    const LabRules& rules_;
    const PairedWindows& before_;
    const PairedWindows& after_;
    std::size_t deciding_ = 0;
    std::vector<KpiMeasurement> measured_;
    model::Verdict verdict_;
};

model::Verdict not_judged(VerdictKind kind, const PairedWindows& after, std::string reason) {
    return {.kind = kind, .reason = std::move(reason), .n = after.size()};
}

Result<void> check_plan(const PlanRequest& request) {
    const auto& [rule, noise, effect, power, baseline] = request;
    const bool is_rate = rule.kpi == Kpi::kErrorRate;
    const bool can_be = is_rate ? noise.requests > 0 && std::isfinite(noise.requests) && noise.error_share >= 0 &&
                                      noise.error_share + std::max(effect, rule.margin) < 1
                                : noise.pair_deviation > 0 && std::isfinite(noise.pair_deviation * effect);
    if (can_be && noise.autocorrelation_time >= 1 && effect > harm_min_of(rule) && power > 0 && power < 1) return {};
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "no plan sees {} {:+.2g} with power {} above {} of noise {}, or errors in {} of {} requests a window",
            to_string(rule.kpi), effect, power, harm_min_of(rule), noise.pair_deviation, noise.error_share,
            noise.requests));
}

/// Two stretches double the variance.
double stretches(PlanRequest::Baseline baseline) noexcept {
    return baseline == PlanRequest::Baseline::kSameLength ? 2 : 1;
}

/// How much more a block's variance is than a window's over their number. The quantile of windows taken together hangs
/// on the slowest of them: measured 1.25 on a steady load and 1.4 on one that drifts by 30 %.
double quantile_excess(Kpi kpi) noexcept {
    return kpi == Kpi::kResponseTimeP95 || kpi == Kpi::kResponseTimeP99 ? 1.4 : 1;
}

/// Windows for a KPI that is compared as a ratio: whole blocks, so that none is cut off.
double windows_for_ratio(const LabRules& rules, const PlanRequest& request, std::size_t deciding) {
    const auto& [rule, noise, effect, power, baseline] = request;
    // ranks are worth 3 / pi of what the mean is worth on normal noise
    const double excess = 3.14159265 / 3 * stretches(baseline) * quantile_excess(rule.kpi);
    const double deviation = noise.pair_deviation * std::sqrt(noise.autocorrelation_time * excess);
    const double shift = shift_of(rule.kpi, effect);
    const double alpha_fail = rules.alpha_fail / (2 * static_cast<double>(deciding));
    const double block = std::max(3.0, std::ceil(2 * noise.autocorrelation_time));
    // a short stretch's own autocorrelation is a guess: chance makes blocks of 5 where 3 would do
    const double guessed = block + 2;
    // their deviation is estimated too, which costs z^2 / 2 of them (Guenther, Am. Stat. 35, 1981), and half of one is
    // cut off at the end
    const auto by_blocks = [&](double pairs, double alpha) {
        const double z = statistics::normal_quantile(1 - alpha);
        return pairs + (z * z / 2 + 0.5) * guessed;
    };
    const double for_harm =
        by_blocks(static_cast<double>(statistics::pairs_for_mean(deviation, shift, {alpha_fail, power})), alpha_fail);
    // and the estimate must pass harm_min, which the same error rate bounds
    const double for_size = static_cast<double>(statistics::pairs_for_mean(
        deviation, shift - shift_of(rule.kpi, harm_min_of(rule)), {.alpha = 0.5, .power = power}));
    const double for_pass = by_blocks(static_cast<double>(statistics::pairs_for_mean(
                                          deviation, shift_of(rule.kpi, rule.margin), {rules.alpha_pass, power})),
                                      rules.alpha_pass);
    const double fewest = static_cast<double>(blocks_needed(rules.alpha_fail, deciding)) * guessed;
    return std::ceil(std::max({for_harm, for_size, for_pass, fewest}) / block) * block;
}

/// Windows for the error rate, from the requests that tell two shares apart.
double windows_for_share(const LabRules& rules, const PlanRequest& request, std::size_t deciding) {
    const auto& [rule, noise, effect, power, baseline] = request;
    const double share = noise.error_share;
    const double worse = share + effect;
    const double alpha_fail = rules.alpha_fail / static_cast<double>(deciding);
    const double plain = static_cast<double>(statistics::requests_for_shares(share, worse, {alpha_fail, power}));
    // exact counts move in steps (Casagrande, Pike and Smith, Biometrics 34, 1978)
    const double for_harm = plain * std::pow(1 + std::sqrt(1 + 4 / (plain * effect)), 2) / 4;
    const double room = effect - harm_min_of(rule);
    const double z_power = statistics::normal_quantile(power);
    const double for_size = z_power * z_power * (share * (1 - share) + worse * (1 - worse)) / (room * room);
    // without an error at all the bound still lies z^2 requests' worth above 0
    const double z_pass = statistics::normal_quantile(1 - rules.alpha_pass);
    const double for_pass =
        std::pow((z_pass + z_power) / rule.margin, 2) * 2 * share * (1 - share) + z_pass * z_pass / rule.margin;
    return std::ceil(std::max({for_harm, for_size, for_pass}) * stretches(baseline) * noise.autocorrelation_time /
                     noise.requests);
}

}  // namespace

std::vector<KpiRule> default_kpis() {
    return {
        {.kpi = Kpi::kResponseTimeMean, .margin = 0.2},
        {.kpi = Kpi::kResponseTimeP95, .margin = 0.3},
        {.kpi = Kpi::kErrorRate, .margin = 0.01},
        {.kpi = Kpi::kGuestCpu, .margin = 0.25, .role = Role::kReported},
        {.kpi = Kpi::kDiskBytes, .margin = 0.5, .role = Role::kReported},
    };
}

Result<model::Verdict> judge_twins(const LabRules& rules, const TwinRun& run) {
    LabRules effective = rules;
    if (effective.kpis.empty()) effective.kpis = default_kpis();
    TRY(check_rules(effective));
    const PairedWindows before = TRY(pair_windows(run.before, 0));
    const PairedWindows after = TRY(pair_windows(run.after, run.windows_expected));
    if (after.size() == 0) {
        return not_judged(VerdictKind::kInvalid, after, "there is no window that both arms measured");
    }
    for (const PairedWindows* pairs : {&before, &after}) {
        if (pairs->size() == 0) continue;
        if (std::string fault = data_fault(*pairs, effective.quality); !fault.empty()) {
            return not_judged(VerdictKind::kInvalid, after, std::move(fault));
        }
    }
    if (TrippedGuard guard = tripped_guard(after, effective.guards); !guard.reason.empty()) {
        return not_judged(guard.control_too ? VerdictKind::kInvalid : VerdictKind::kFail, after,
                          std::move(guard.reason));
    }
    if (after.coverage() < effective.quality.coverage_min) {
        return not_judged(VerdictKind::kInconclusive, after,
                          fmt::format("both arms have {} of {} windows; {:.0f} % are needed", after.size(), after.slots,
                                      100 * effective.quality.coverage_min));
    }
    return TwinJudgement(effective, before, after).run();
}

Result<std::uint64_t> plan_windows(const LabRules& rules, const PlanRequest& request) {
    LabRules effective = rules;
    if (effective.kpis.empty()) effective.kpis = default_kpis();
    TRY(check_rules(effective));
    TRY(check_plan(request));
    const auto deciding = static_cast<std::size_t>(
        std::ranges::count(effective.kpis, Role::kDecides, [](const KpiRule& kpi) { return kpi.role; }));
    const double windows = request.rule.kpi == Kpi::kErrorRate ? windows_for_share(effective, request, deciding)
                                                               : windows_for_ratio(effective, request, deciding);
    if (!(windows <= static_cast<double>(limits::kSampleValuesMax))) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("{} of {} would need {:.2g} windows", in_words(request.rule.kpi, request.effect),
                                to_string(request.rule.kpi), windows));
    }
    return static_cast<std::uint64_t>(windows);
}

}  // namespace penumbra::analysis::judge
