#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "base/backoff.hpp"
#include "coordinator/core/events.hpp"
#include "coordinator/core/fleet.hpp"

namespace penumbra::coordinator {

/// The coordinator's decisions. step() maps an event to actions, to be done in their order; what depends on a batch
/// leaves only after its Committed. Thread-bound, no clock, no I/O.
class CoordinatorCore {
 public:
    CoordinatorCore(Image image, Instant now);

    [[nodiscard]] Actions step(const Event& event, Moment at, Random& random);
    [[nodiscard]] const Fleet& fleet() const noexcept { return fleet_; }

 private:
    void release(Actions& into);

    Fleet fleet_;
    std::uint64_t batch_ = 0;
    std::uint64_t committed_ = 0;
    std::deque<std::pair<std::uint64_t, Action>> held_;
};

}  // namespace penumbra::coordinator
