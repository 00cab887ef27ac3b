#include "tests/sim/fleet.hpp"

#include <gtest/gtest.h>

#include "tests/sim/seeds.hpp"

namespace penumbra::sim {
namespace {

/// Runs seeds until one breaks a rule, which the failure names with the command that replays it.
Tally run_seeds(const Seeds& seeds, Plan plan, std::string_view test) {
    Tally all;
    for (plan.seed = seeds.first; plan.seed <= seeds.last; ++plan.seed) {
        plan.trace = seeds.trace;
        const Tally tally = SimFleet(plan).run();
        EXPECT_FALSE(tally.broken.has_value())
            << "seed " << plan.seed << ": " << *tally.broken << "\nreplay: " << replay(plan.seed, test);
        if (tally.broken.has_value()) return tally;
        all.commands += tally.commands;
        all.succeeded += tally.succeeded;
        all.windows += tally.windows;
        all.agent_crashes += tally.agent_crashes;
        all.coordinator_crashes += tally.coordinator_crashes;
        all.zombies += tally.zombies;
        all.partitions += tally.partitions;
        all.rollouts += tally.rollouts;
        all.rollouts_succeeded += tally.rollouts_succeeded;
    }
    std::printf(
        "%llu commands, %llu succeeded, %llu windows, %llu agent crashes, %llu coordinator crashes, "
        "%llu zombies, %llu partitions\n",
        static_cast<unsigned long long>(all.commands), static_cast<unsigned long long>(all.succeeded),
        static_cast<unsigned long long>(all.windows), static_cast<unsigned long long>(all.agent_crashes),
        static_cast<unsigned long long>(all.coordinator_crashes), static_cast<unsigned long long>(all.zombies),
        static_cast<unsigned long long>(all.partitions));
    return all;
}

TEST(FleetSimulation, FiftyHostsHoldEveryRule) {
    const Seeds seeds = seeds_from_environment({.first = 1, .last = 200});
    const Tally all = run_seeds(seeds, {.hosts = 50}, "FleetSimulation.FiftyHostsHoldEveryRule");
    if (seeds.last - seeds.first < 100) return;
    EXPECT_GT(all.succeeded, 5'000U);
    EXPECT_GT(all.zombies, 50U);
}

TEST(FleetSimulation, RolloutsEndAsTheHostsSay) {
    const Seeds seeds = seeds_from_environment({.first = 1, .last = 200});
    const Tally all = run_seeds(seeds, {.hosts = 3, .calm = seconds(500), .rollouts = true},
                                "FleetSimulation.RolloutsEndAsTheHostsSay");
    if (seeds.last - seeds.first < 100) return;
    EXPECT_GT(all.rollouts, 100U);
    EXPECT_GT(all.rollouts_succeeded, 10U);
}

TEST(FleetSimulation, FewHostsHoldEveryRule) {
    const Seeds seeds = seeds_from_environment({.first = 1, .last = 200});
    const Tally all = run_seeds(seeds, {.hosts = 4}, "FleetSimulation.FewHostsHoldEveryRule");
    if (seeds.last - seeds.first < 100) return;
    EXPECT_GT(all.succeeded, 2'000U);
}

}  // namespace
}  // namespace penumbra::sim
