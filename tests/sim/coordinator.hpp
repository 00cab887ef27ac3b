#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "coordinator/core/coordinator_core.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/core_store.hpp"

namespace penumbra::sim {

/// One simulated coordinator: the real core on a store that loses what was not committed. Checks at every message that
/// leaves that what it stands on is durable, and at every message that comes that an old session changes nothing.
class SimCoordinator {
 public:
    using Downlink = std::function<void(const HostId&, const model::Envelope&)>;

    SimCoordinator(World& world, std::string name, Downlink downlink);

    /// Begins a new life on its store, or, as a zombie, on a copy of another's.
    void start();
    void start_on(const coordinator::CoreStore& copy);
    void crash();
    /// Does nothing for so long, as if stopped by SIGSTOP; what comes meanwhile waits.
    void stall(milliseconds length);
    void receive(const HostId& from, const model::Envelope& envelope);
    void ask(std::string request_id, coordinator::Ask ask);

    [[nodiscard]] bool up() const noexcept { return core_.has_value(); }
    [[nodiscard]] const coordinator::Fleet& fleet() const { return core_->fleet(); }
    [[nodiscard]] const coordinator::CoreStore& store() const noexcept { return store_; }
    [[nodiscard]] std::uint64_t answers() const noexcept { return answers_; }
    [[nodiscard]] bool idle() const noexcept { return pending_.empty(); }

 private:
    void step(const coordinator::Event& event);
    void act(const coordinator::Action& action);
    void check(const coordinator::Send& send);
    void commit_one();
    void commit_front();
    void tick();
    void in_this_life(std::chrono::nanoseconds delay, std::function<void()> what);
    [[nodiscard]] coordinator::Moment moment() const;

    World& world_;
    std::string name_;
    Downlink downlink_;
    Chance chance_;
    coordinator::CoreStore store_;
    std::deque<coordinator::Batch> pending_;
    std::optional<coordinator::CoordinatorCore> core_;
    std::uint64_t life_ = 0;
    std::uint64_t answers_ = 0;
    Instant stalled_until_{};
};

}  // namespace penumbra::sim
