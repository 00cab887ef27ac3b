#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/coordinator.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/world.hpp"

namespace penumbra::sim {

/// How one seed is run.
struct Plan {
    std::uint64_t seed = 1;
    std::size_t hosts = 50;
    seconds chaos{240};
    seconds calm{180};
    bool rollouts = false;  ///< ask for trials and rollouts as well
    bool trace = false;
};

/// What a run was made of, so that a test can see that it was not idle.
struct Tally {
    std::optional<std::string> broken;
    std::uint64_t commands = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t windows = 0;
    std::uint64_t agent_crashes = 0;
    std::uint64_t coordinator_crashes = 0;
    std::uint64_t zombies = 0;
    std::uint64_t partitions = 0;
    std::uint64_t rollouts = 0;
    std::uint64_t rollouts_succeeded = 0;
};

/// A fleet in virtual time: first everything goes wrong, then all is calm, then both sides must agree.
class SimFleet {
 public:
    explicit SimFleet(const Plan& plan);
    [[nodiscard]] Tally run();

 private:
    void add_host(std::size_t index);
    void deliver_up(std::size_t index, const model::Envelope& envelope);
    [[nodiscard]] SimCoordinator::Downlink downlink();

    // chaos, each going on by itself until calm
    void again(milliseconds low, milliseconds high, std::function<void()> what);
    void begin_chaos();
    void ask_something();
    void ask_for_a_rollout();
    void crash_a_host();
    void crash_the_coordinator();
    void raise_a_zombie();
    void partition();
    void calm_down();

    // after calm
    void agree();
    void agree_on_commands();
    void agree_on_requests();
    void agree_on_rollouts();
    void agree_with(const SimHost& host);

    Plan plan_;
    World world_;
    std::unique_ptr<SimCoordinator> real_;
    std::vector<std::unique_ptr<SimCoordinator>> zombies_;
    std::vector<std::unique_ptr<SimHost>> hosts_;
    std::map<HostId, std::size_t> index_of_;
    std::vector<SimCoordinator*> route_;  ///< whom each host's socket leads to
    std::map<std::string, coordinator::Ask> asked_;
    std::uint64_t shadows_ = 0;
    std::uint64_t rollouts_ = 0;
    Tally tally_;
};

}  // namespace penumbra::sim
