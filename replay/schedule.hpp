#pragma once

#include <chrono>
#include <vector>

#include "base/clock.hpp"
#include "replay/exchange.hpp"
#include "replay/sampler.hpp"

namespace penumbra::replay {

/// One request to be sent: copy 0 is the production client itself, others come from the same address, another port.
struct PlannedSend {
    unsigned copy = 0;
    Instant at{};
};

/// When an exchange is replayed: a constant delay behind production's own time, so that gaps stay what they were; at a
/// multiple other than 1, whole connections are left out or doubled, each copy shifted by a part of `spread` of its own
/// that stays the same for the connection. Pure.
class Schedule {
 public:
    struct Options {
        std::chrono::nanoseconds delay{};
        double multiple = 1;
        std::chrono::nanoseconds spread = std::chrono::seconds(1);
    };
    Schedule(Options options, Sampler sampler) : options_(options), sampler_(sampler) {}

    void set_multiple(double multiple) { options_.multiple = multiple; }
    [[nodiscard]] std::chrono::nanoseconds delay() const noexcept { return options_.delay; }
    [[nodiscard]] std::vector<PlannedSend> plan(const Exchange& exchange) const;

 private:
    Options options_;
    Sampler sampler_;
};

}  // namespace penumbra::replay
