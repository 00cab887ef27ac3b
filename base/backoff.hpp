#pragma once

#include <chrono>
#include <random>

namespace penumbra {

/// The one source of randomness of pure code: seeded by whoever runs it, so a seed replays a run bit for bit.
using Random = std::mt19937_64;

/// A number in [0, bound), the same on every platform (std::uniform_int_distribution is not). bound > 0.
[[nodiscard]] std::uint64_t uniform(Random& random, std::uint64_t bound);

/// Decorrelated jitter: next in [base, 3 * previous], capped. Pure; start with `previous == base`.
struct Backoff {
    std::chrono::milliseconds base{100};
    std::chrono::milliseconds cap{30'000};

    [[nodiscard]] std::chrono::milliseconds next(std::chrono::milliseconds previous, Random& random) const;
};

}  // namespace penumbra
