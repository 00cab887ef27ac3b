#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/judge/lab_v1.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis::judge {

/// The windows that both arms have, at the same places and in order of time; `slots` counts the places there should be.
/// Moved, never copied: control and treated look into `picked`, or into what was paired where all of that has its twin.
struct PairedWindows {
    std::span<const model::KpiWindow> control;
    std::span<const model::KpiWindow> treated;
    std::uint64_t slots = 0;
    std::unique_ptr<const std::array<std::vector<model::KpiWindow>, 2>> picked;
    [[nodiscard]] std::size_t size() const noexcept { return control.size(); }
    [[nodiscard]] double coverage() const noexcept {
        return slots == 0 ? 0 : static_cast<double>(size()) / static_cast<double>(slots);
    }
};

/// Lines the arms up on a grid of the window's length (beginnings up to half a window apart are one place; of several
/// in a place the first counts). `windows` must outlive the result. Errors: kInvalidArgument for windows of different
/// or no length, or more than kSampleValuesMax.
[[nodiscard]] Result<PairedWindows> pair_windows(const TwinWindows& windows, std::uint64_t expected);

/// Why the pairs cannot be judged, as a sentence; empty when they can. Losses that the arm itself caused (connect,
/// timeout, reset) are not a fault of the data.
[[nodiscard]] std::string data_fault(const PairedWindows& pairs, const QualityRule& rule);

/// A guard that tripped: the sentence, empty when none did, and whether control broke the same limit.
struct TrippedGuard {
    std::string reason;
    bool control_too = false;
};
/// The first guard that treated broke and control held; else the first that both broke, which is an overload of both
/// and nothing that the change did.
[[nodiscard]] TrippedGuard tripped_guard(const PairedWindows& pairs, const std::vector<GuardRule>& guards);

}  // namespace penumbra::analysis::judge
