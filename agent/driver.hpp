#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/agent_core.hpp"
#include "agent/news.hpp"
#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::agent {

/// The loop's side of the core: gives it what happens and does what it says, in its order. Thread-bound.
class Driver {
 public:
    struct Parts {
        const Clock& clock;  ///< borrowed
        std::function<Result<void>(std::string_view bytes)> send;
        std::function<Result<void>()> reconnect;
        /// Writes a record down and then tells Journalled{number}; what cannot be written ends the process.
        std::function<void(std::uint64_t number, JournalRecord record)> record;
        std::function<void(const model::Command&)> execute;
        std::function<void(const model::Command&)> recover;
        std::function<void(const model::Vantage&, std::uint64_t up_to)> release;
        std::uint64_t seed = 0;
    };
    Driver(Parts parts, const Identity& identity, const JournalImage& image);

    void happen(const Event& event);
    void hear(News news);
    void receive(std::string_view bytes);
    /// Once a second: tells the core how this host fares. `lag`: how late the loop was.
    void tell_health(std::chrono::milliseconds lag);
    [[nodiscard]] Instant next_wake() const noexcept { return core_.next_wake(); }
    [[nodiscard]] const AgentCore& core() const noexcept { return core_; }

 private:
    void act(const Action& action);
    void send(const model::Envelope& envelope);

    Parts parts_;
    Random random_;
    AgentCore core_;
    std::map<std::string, Troubles> troubles_;  // by flow
    bool acting_ = false;
};

}  // namespace penumbra::agent
