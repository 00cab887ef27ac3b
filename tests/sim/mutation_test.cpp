#include <gtest/gtest.h>

#include "tests/sim/fleet.hpp"

namespace penumbra::sim {
namespace {

/// Built once for each rule, with the rule taken out of the cores: a simulation that does not notice is worth nothing.
TEST(FleetSimulation, NoticesThatTheRuleIsGone) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const Tally tally = SimFleet({.seed = seed, .hosts = 4}).run();
        if (!tally.broken.has_value()) continue;
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), tally.broken->c_str());
        return;
    }
    FAIL() << "200 seeds without the rule, and none broke anything";
}

}  // namespace
}  // namespace penumbra::sim
