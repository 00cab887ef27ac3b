#pragma once

#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

/// What a rank test says of a shift.
struct RankTest {
    double statistic = 0;      ///< V of Wilcoxon, or U of the first sample (R calls it W)
    double p_greater = 1;      ///< of a shift <= 0, against one above 0
    double p_less = 1;         ///< of a shift >= 0, against one below 0
    double p_two_sided = 1;    ///< 2 min, at most 1
    double shift = 0;          ///< Hodges and Lehmann's estimate
    model::Interval interval;  ///< of the shift
    bool exact = false;        ///< p by enumeration, not by the normal approximation
};

/// How to test; `exact_max` is the largest size (of each sample) without ties that is enumerated.
struct RankTestOptions {
    double confidence = 0.95;
    unsigned exact_max = 49;
};

}  // namespace penumbra::analysis::statistics
