#pragma once

#include <cstddef>
#include <cstdint>

#include "analysis/judge/lab_v1.hpp"
#include "analysis/judge/pairing.hpp"
#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::judge {

/// One KPI measured, before the correction over all of them and the decision. Shifts are on the KPI's own scale.
struct KpiMeasurement {
    model::KpiEvidence evidence;  ///< verdict and corrected p still open
    double p_harm = 1;            ///< uncorrected
    double shift = 0;
    double upper = 0;           ///< bound that an effect exceeds with probability alpha_pass at most
    double standard_error = 0;  ///< of the shift
    double windows_per_block = 1;
    std::size_t blocks = 0;
    bool measured = false;  ///< false: too little data, evidence.reason says what is missing
    double before_gap = 0;  ///< shift between the twins before the change, and its two-sided p
    double before_gap_p = 1;
};

/// The effect from which on a KPI can FAIL: the rule's own, or half of its margin.
[[nodiscard]] double harm_min_of(const KpiRule& rule) noexcept;

/// Blocks below which no p can reach alpha: 2 m 2^-n > alpha for m KPIs, and at least 5.
[[nodiscard]] std::size_t blocks_needed(double alpha, std::size_t kpis) noexcept;

/// Measures one KPI on the pairs; `deciding` is how many KPIs share alpha. Errors: those of the statistics, own bugs.
[[nodiscard]] Result<KpiMeasurement> measure_kpi(const KpiRule& rule, const LabRules& rules, std::size_t deciding,
                                                 const PairedWindows& before, const PairedWindows& after);

}  // namespace penumbra::analysis::judge
