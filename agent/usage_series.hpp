#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::agent {

/// What a VM used of its host in some window.
struct Usage {
    double cpu_share = 0;  ///< vCPU time over wall time; 1.0 = one core
    std::uint64_t disk_read_bytes = 0;
    std::uint64_t disk_write_bytes = 0;
    friend bool operator==(const Usage&, const Usage&) = default;
};

/// A VM's counters as they were sampled, straight lines between: so a window needs no sample at its own ends. Holds the
/// last limits::kUsageSamplesMax. Pure.
class UsageSeries {
 public:
    /// Counters that went back begin a new series: the VM was restarted.
    void add(WallTime at, const hypervisor::VmCounters& counters);
    /// Nothing while no sample lies at or behind `to`. Zero where nothing was sampled: the agent was not there.
    [[nodiscard]] std::optional<Usage> between(WallTime from, WallTime to) const;

 private:
    struct Sample {
        WallTime at{};
        double cpu_s = 0;
        double read = 0;
        double written = 0;
    };
    [[nodiscard]] Sample at(WallTime when) const;

    std::deque<Sample> samples_;
};

}  // namespace penumbra::agent
