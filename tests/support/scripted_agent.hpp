#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/core/agent_core.hpp"
#include "base/backoff.hpp"
#include "base/event_loop.hpp"
#include "proto/codec/codec.hpp"
#include "proto/zmq/client.hpp"

namespace penumbra::testing {

/// An agent's real core on the real link, whose host is a script: what it is told to do it has done, or, while held, is
/// doing. Its clock runs ten times as fast, so that nobody waits for its heartbeats. Thread-bound.
class ScriptedAgent {
 public:
    ScriptedAgent(EventLoop& loop, keys::KeyPair keys, zmq::FleetClient::Options link, agent::Identity identity,
                  model::HostFacts facts)
        : loop_(loop),
          client_(std::move(*zmq::FleetClient::create(loop, std::move(keys), std::move(link)))),
          core_(std::move(identity), {}, now_, random_),
          timer_(std::move(*loop.every(std::chrono::milliseconds(20), [this] { pass(); }))) {
        client_->on_message([this](std::string_view bytes) {
            const Result<model::Envelope> envelope = codec::decode(bytes);
            ASSERT(envelope.has_value());
            happen(agent::Received{*envelope});
        });
        happen(agent::PolicyRead{
            {.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}, .may_run_shadows = true}});
        happen(agent::FactsObserved{std::move(facts)});
        happen(agent::EffectsObserved{});
        happen(agent::ShadowsObserved{});
    }

    /// While held, commands are executed but do not end.
    void hold(bool held) {
        held_ = held;
        if (!held) end_all();
    }
    [[nodiscard]] const std::vector<model::Command>& executed() const noexcept { return executed_; }
    [[nodiscard]] const agent::AgentCore& core() const noexcept { return core_; }

 private:
    void pass() {
        now_ += std::chrono::milliseconds(200);
        if (now_ >= core_.next_wake()) happen(agent::Tick{});
    }
    void happen(agent::Event event) {
        events_.push_back(std::move(event));
        if (std::exchange(busy_, true)) return;
        while (!events_.empty()) {
            const agent::Event next = std::move(events_.front());
            events_.pop_front();
            for (const agent::Action& action : core_.step(next, now_, random_))
                act(action);
        }
        busy_ = false;
    }
    void act(const agent::Action& action) {
        if (const auto* send = std::get_if<agent::Send>(&action)) {
            static_cast<void>(client_->send(codec::encode(send->envelope).value()).has_value());
        } else if (std::holds_alternative<agent::Reconnect>(action)) {
            ASSERT(client_->reconnect().has_value());
        } else if (const auto* journal = std::get_if<agent::Journal>(&action)) {
            events_.push_back(agent::Journalled{journal->number});
        } else if (const auto* execute = std::get_if<agent::Execute>(&action)) {
            executed_.push_back(execute->command);
            unfinished_.push_back(execute->command);
            if (!held_) end_all();
        }
    }
    void end_all() {
        for (const model::Command& command : std::exchange(unfinished_, {})) {
            model::CommandReport report{.command = command.id, .state = model::CommandState::kSucceeded};
            if (const auto* replicate = std::get_if<model::ReplicateGroup>(&command.operation))
                report.outcome = model::Generation{.group = replicate->group, .number = generations_++};
            happen(agent::WorkerReported{std::move(report)});
        }
    }

    EventLoop& loop_;
    std::unique_ptr<zmq::FleetClient> client_;
    Random random_{1};
    Instant now_{std::chrono::hours(1)};
    agent::AgentCore core_;
    std::deque<agent::Event> events_;
    bool busy_ = false;
    bool held_ = false;
    std::uint64_t generations_ = 0;
    std::vector<model::Command> executed_;
    std::vector<model::Command> unfinished_;
    EventLoop::Source timer_;
};

}  // namespace penumbra::testing
