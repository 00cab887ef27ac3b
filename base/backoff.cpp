#include "base/backoff.hpp"

#include <algorithm>

#include "base/result.hpp"

namespace penumbra {

std::uint64_t uniform(Random& random, std::uint64_t bound) {
    ASSERT(bound > 0);
    // Lemire's rejection, so that no value is likelier than another.
    const std::uint64_t threshold = (0 - bound) % bound;
    while (true) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(random()) * bound;
        if (static_cast<std::uint64_t>(product) >= threshold) return static_cast<std::uint64_t>(product >> 64);
    }
}

std::chrono::milliseconds Backoff::next(std::chrono::milliseconds previous, Random& random) const {
    const auto low = base.count();
    const auto high = std::max(low + 1, previous.count() * 3);
    const auto drawn = low + static_cast<std::int64_t>(uniform(random, static_cast<std::uint64_t>(high - low)));
    return std::min(cap, std::chrono::milliseconds(drawn));
}

}  // namespace penumbra
