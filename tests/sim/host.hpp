#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent/core/agent_core.hpp"
#include "agent/core/journal_image.hpp"
#include "tests/sim/world.hpp"

namespace penumbra::sim {

/// One simulated host: the real agent core, a disk that loses what was not synced, workers that take their time, and
/// the truth about what was done, which no agent and no coordinator can talk away.
class SimHost {
 public:
    using Uplink = std::function<void(const model::Envelope&)>;

    SimHost(World& world, std::size_t index, Uplink uplink);

    void start();
    /// The agent's process ends; a graceful one says goodbye and syncs its disk.
    void stop(bool graceful);
    void receive(const model::Envelope& envelope);
    /// Its VM's capture has one more window, whether the agent lives or not.
    void measure();

    struct Deed {
        model::Operation operation;
        unsigned begun = 0;
        bool done = false;
    };

    [[nodiscard]] const HostId& id() const noexcept { return id_; }
    [[nodiscard]] const GroupId& group() const noexcept { return group_; }
    [[nodiscard]] bool up() const noexcept { return core_.has_value(); }
    [[nodiscard]] const agent::AgentCore& core() const { return *core_; }
    [[nodiscard]] const std::map<CommandId, Deed>& deeds() const noexcept { return deeds_; }
    [[nodiscard]] std::uint64_t generations() const noexcept { return generations_; }
    [[nodiscard]] const std::map<ShadowId, model::ShadowStatus>& shadows() const noexcept { return shadows_; }
    [[nodiscard]] std::uint64_t windows() const noexcept { return windows_; }
    [[nodiscard]] const model::EffectStatus* effect(const EffectId& id) const;
    [[nodiscard]] const model::HostFacts& facts() const noexcept { return facts_; }

 private:
    void step(const agent::Event& event);
    void act(agent::Action& action);
    void keep(agent::Journal journal);
    void sync();
    void wake();
    /// Does `what` later, unless the agent's life has ended by then.
    void in_this_life(std::chrono::nanoseconds delay, std::function<void()> what);
    void execute(const model::Command& command);
    void check(const model::Command& command);
    void finish(const model::Command& command, bool works);
    void recover(const model::Command& command);
    void do_it(const model::Command& command);
    void do_shadow(const model::Operation& operation);
    void do_effect(const model::Operation& operation);
    [[nodiscard]] bool can_do(const model::Operation& operation) const;
    void measure_arms(WallTime now);
    void measured(model::KpiWindow window);
    void report(const model::Command& command, bool worked);
    [[nodiscard]] model::Outcome outcome_of(const model::Command& command) const;
    void observe();

    World& world_;
    HostId id_;
    GroupId group_;
    Uplink uplink_;
    Chance chance_;
    std::chrono::nanoseconds clock_ahead_;  ///< of the world's: no host's clock means anything on another

    // disk
    agent::JournalImage disk_;
    std::deque<agent::Journal> unsynced_;

    // the truth
    std::map<CommandId, Deed> deeds_;
    std::map<ResourceId, Fence> fences_;
    std::uint64_t generations_ = 0;
    std::map<ShadowId, model::ShadowStatus> shadows_;
    model::HostFacts facts_;
    std::map<EffectId, model::EffectStatus> effects_;
    std::set<ShadowId> replaying_;
    std::map<model::Vantage, std::uint64_t> sequences_;  ///< of arms
    std::uint64_t windows_ = 0;                          ///< of production
    std::deque<model::KpiWindow> unreleased_;

    // the agent's life
    std::optional<agent::AgentCore> core_;
    std::uint64_t life_ = 0;
    Instant wake_at_{};
    Epoch served_{};
};

}  // namespace penumbra::sim
