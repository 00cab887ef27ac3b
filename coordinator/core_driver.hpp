#pragma once

#include <functional>
#include <string>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "coordinator/core/coordinator_core.hpp"
#include "coordinator/core/events.hpp"

namespace penumbra::coordinator {

/// Gives the core its events with the time, and does what it says, in its order. Thread-bound.
class CoreDriver {
 public:
    /// Who does the actions. None of them may call step() before it returns.
    struct Outputs {
        std::function<void(Batch)> persist;  ///< Committed follows
        std::function<void(const HostId&, const model::Envelope&)> send;
        std::function<void(std::uint64_t, model::api::Reply)> answer;
        std::function<void(Epoch)> step_down;
    };

    /// `clock` outlives this.
    CoreDriver(Image image, const Clock& clock, Outputs outputs);

    void step(const Event& event);
    [[nodiscard]] const Fleet& fleet() const noexcept { return core_.fleet(); }

 private:
    const Clock& clock_;
    const Outputs outputs_;
    Random random_;
    CoordinatorCore core_;
};

}  // namespace penumbra::coordinator
