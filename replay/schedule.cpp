#include "replay/schedule.hpp"

#include <cmath>

namespace penumbra::replay {

std::vector<PlannedSend> Schedule::plan(const Exchange& exchange) const {
    std::vector<PlannedSend> sends;
    const Instant first = exchange.request_begin + options_.delay;
    const double place = sampler_.place(exchange.client);
    for (unsigned copy = 0; copy < sampler_.copies(exchange.client, options_.multiple); ++copy) {
        const double shift = copy == 0 ? 0 : std::fmod(place * 997 * copy, 1.0);
        const auto nanoseconds = std::llround(shift * static_cast<double>(options_.spread.count()));
        sends.push_back({.copy = copy, .at = first + std::chrono::nanoseconds(nanoseconds)});
    }
    return sends;
}

}  // namespace penumbra::replay
