#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace penumbra::analysis::statistics {

struct SignFlipOptions {
    unsigned exact_max = 20;         ///< all 2^n flips up to here
    std::uint64_t flips = 10'000;    ///< drawn above it
    std::uint64_t seed = 0x5109f11;  ///< of the drawn ones
};

/// One-sided p of mean(d) <= 0 by flipping signs: exact 2^-n #{sum s_i d_i >= sum d_i}, or (1 + hits) / (1 + flips)
/// (Fisher; Dwass 1957). Domain: differences symmetric around 0 under the null. Smallest p is 2^-n.
/// Errors: kInvalidArgument for none or non-finite.
[[nodiscard]] Result<double> sign_flip_p(std::span<const double> differences, const SignFlipOptions& options = {});

/// One-sided p of mean(x) <= mean(y), by drawn permutations of the labels: the means see what ranks cannot, a part of
/// x far off. Same errors; p >= 1 / (1 + flips).
[[nodiscard]] Result<double> permutation_p(std::span<const double> x, std::span<const double> y,
                                           const SignFlipOptions& options = {});

}  // namespace penumbra::analysis::statistics
