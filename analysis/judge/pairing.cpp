#include "analysis/judge/pairing.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis::judge {

namespace {

struct Slot {
    std::int64_t place = 0;
    const model::KpiWindow* window = nullptr;
};
using Slots = std::vector<Slot>;

Slots slots_of(std::span<const model::KpiWindow> windows, WallTime origin, std::chrono::milliseconds length) {
    Slots slots;
    slots.reserve(windows.size());
    for (const auto& window : windows) {
        const auto away = window.begin - origin + length / 2;
        slots.push_back({away / length, &window});
    }
    if (!std::ranges::is_sorted(slots, {}, &Slot::place)) std::ranges::stable_sort(slots, {}, &Slot::place);
    const auto repeated = std::ranges::unique(slots, {}, &Slot::place);
    slots.erase(repeated.begin(), repeated.end());
    return slots;
}

Result<std::chrono::milliseconds> one_length(const TwinWindows& windows) {
    std::chrono::milliseconds length{0};
    for (const auto arm : {windows.control, windows.treated}) {
        for (const auto& window : arm) {
            if (length.count() == 0) length = window.length;
            if (window.length != length || length.count() <= 0) {
                return fail(
                    ErrorCode::kInvalidArgument,
                    fmt::format("KPI window {} is {} ms long and others {} ms: a trial's windows have one length",
                                window.sequence, window.length.count(), length.count()));
            }
        }
    }
    return length;
}

/// Whether both arms' windows stand as they should already: in order, one a place, at the same places.
bool are_twins(const Slots& control, std::span<const model::KpiWindow> control_windows, const Slots& treated,
               std::span<const model::KpiWindow> treated_windows) {
    if (control.size() != control_windows.size() || treated.size() != treated_windows.size() ||
        control.size() != treated.size())
        return false;
    for (std::size_t i = 0; i < control.size(); ++i) {
        if (control[i].place != treated[i].place || control[i].window != &control_windows[i] ||
            treated[i].window != &treated_windows[i])
            return false;
    }
    return true;
}

using Picked = std::array<std::vector<model::KpiWindow>, 2>;

std::unique_ptr<const Picked> pick(const Slots& control, const Slots& treated) {
    auto picked = std::make_unique<Picked>();
    for (auto& arm : *picked)
        arm.reserve(std::min(control.size(), treated.size()));
    auto twin = treated.begin();
    for (const auto& [place, window] : control) {
        while (twin != treated.end() && twin->place < place)
            ++twin;
        if (twin == treated.end() || twin->place != place) continue;
        (*picked)[0].push_back(*window);
        (*picked)[1].push_back(*twin->window);
    }
    return picked;
}

struct LedgerSum {
    double captured = 0;
    double lost = 0;
};

/// What the arm was given, and what was lost before the arm could answer for it.
LedgerSum ledger_of(std::span<const model::KpiWindow> windows) {
    LedgerSum sum;
    for (const auto& window : windows) {
        const auto& ledger = window.ledger;
        sum.captured += static_cast<double>(ledger.captured);
        sum.lost += static_cast<double>(ledger.lost_capture_drop + ledger.lost_spool_full + ledger.lost_not_sent);
    }
    return sum;
}

/// How the arm broke the guard, as a sentence; empty when it held.
std::string broken_in(std::span<const model::KpiWindow> windows, std::string_view arm, const GuardRule& guard) {
    std::vector<bool> breached;
    unsigned recent = 0;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        const auto value = kpi_value(guard.kpi, windows.subspan(i, 1));
        breached.push_back(value.has_value() && *value > guard.limit);
        recent += breached.back() ? 1 : 0;
        if (i >= guard.of && breached[i - guard.of]) --recent;
        if (breached.back() && recent >= guard.breaches) {
            return fmt::format("guard: {} of the {} arm lay above {} in {} of {} windows, last {:.4g}",
                               to_string(guard.kpi), arm, guard.limit, recent, std::min<std::size_t>(i + 1, guard.of),
                               *value);
        }
    }
    return {};
}

}  // namespace

Result<PairedWindows> pair_windows(const TwinWindows& windows, std::uint64_t expected) {
    PairedWindows pairs{.slots = expected};
    if (windows.control.size() + windows.treated.size() > limits::kSampleValuesMax) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("a trial of {} KPI windows is longer than the {} a judge takes",
                                windows.control.size() + windows.treated.size(), limits::kSampleValuesMax));
    }
    const auto length = TRY(one_length(windows));
    if (length.count() == 0) return pairs;
    WallTime origin = WallTime::max();
    for (const auto arm : {windows.control, windows.treated}) {
        for (const auto& window : arm)
            origin = std::min(origin, window.begin);
    }
    const Slots control = slots_of(windows.control, origin, length);
    const Slots treated = slots_of(windows.treated, origin, length);
    if (are_twins(control, windows.control, treated, windows.treated)) {
        pairs.control = windows.control;
        pairs.treated = windows.treated;
    } else {
        pairs.picked = pick(control, treated);
        pairs.control = (*pairs.picked)[0];
        pairs.treated = (*pairs.picked)[1];
    }
    std::int64_t last = 0;
    for (const Slots* slots : {&control, &treated}) {
        if (!slots->empty()) last = std::max(last, slots->back().place);
    }
    pairs.slots = std::max({pairs.slots, static_cast<std::uint64_t>(pairs.size()),
                            expected == 0 ? static_cast<std::uint64_t>(last) + 1 : expected});
    return pairs;
}

std::string data_fault(const PairedWindows& pairs, const QualityRule& rule) {
    std::array<LedgerSum, 2> sums;
    const std::array<std::pair<std::string_view, std::span<const model::KpiWindow>>, 2> arms = {
        {{"control", pairs.control}, {"treated", pairs.treated}}};
    for (std::size_t i = 0; i < arms.size(); ++i) {
        const auto& [name, windows] = arms[i];
        if (attempts_of(windows).requests == 0) {
            return fmt::format("the {} arm was sent no request in {} windows: is the mirror fed and replay running?",
                               name, windows.size());
        }
        sums[i] = ledger_of(windows);
        if (sums[i].captured > 0 && sums[i].lost > rule.lost_share_max * sums[i].captured) {
            return fmt::format("{:.1f} % of the {} arm's exchanges were lost before they reached it (at most {:.1f} %)",
                               100 * sums[i].lost / sums[i].captured, name, 100 * rule.lost_share_max);
        }
    }
    const double more = std::max(sums[0].captured, sums[1].captured);
    if (std::abs(sums[0].captured - sums[1].captured) > rule.input_skew_max * more) {
        return fmt::format("the arms did not get the same input: {:.0f} exchanges for control, {:.0f} for treated",
                           sums[0].captured, sums[1].captured);
    }
    return {};
}

TrippedGuard tripped_guard(const PairedWindows& pairs, const std::vector<GuardRule>& guards) {
    TrippedGuard in_both;
    for (const auto& guard : guards) {
        std::string treated = broken_in(pairs.treated, "treated", guard);
        if (treated.empty()) continue;
        if (broken_in(pairs.control, "control", guard).empty()) return {.reason = std::move(treated)};
        if (!in_both.reason.empty()) continue;
        in_both = {.reason = treated + ", and so did the control arm's: the change is not to blame",
                   .control_too = true};
    }
    return in_both;
}

}  // namespace penumbra::analysis::judge
