#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "agent/lane.hpp"
#include "base/result.hpp"
#include "proto/model/effect.hpp"

namespace penumbra::agent {

/// How the other flows have something of ours touch production for a while (design D6). Blocks.
class Holds {
 public:
    Holds() = default;
    Holds(const Holds&) = delete;
    Holds& operator=(const Holds&) = delete;
    Holds(Holds&&) = delete;
    Holds& operator=(Holds&&) = delete;
    virtual ~Holds() = default;

    /// After an error nothing stands, or the error says what could not be undone yet.
    [[nodiscard]] virtual Result<void> place(const model::EffectSpec& hold) = 0;
    /// A new lease from now on. An error: it does not stand any more, or not for long.
    [[nodiscard]] virtual Result<void> prolong(const EffectId& hold, std::chrono::seconds lease) = 0;
    /// Undoes it and forgets it. One that nobody knows is a success.
    [[nodiscard]] virtual Result<void> lift(const EffectId& hold, const std::string& why) = 0;
};

/// Another lane's holds, from any lane that may wait for it.
class HoldsOnLane final : public Holds {
 public:
    HoldsOnLane(Lane& lane, Holds& holds) : lane_(lane), holds_(holds) {}

    [[nodiscard]] Result<void> place(const model::EffectSpec& hold) override {
        return call_on<void>(lane_, [&] { return holds_.place(hold); });
    }
    [[nodiscard]] Result<void> prolong(const EffectId& hold, std::chrono::seconds lease) override {
        return call_on<void>(lane_, [&] { return holds_.prolong(hold, lease); });
    }
    [[nodiscard]] Result<void> lift(const EffectId& hold, const std::string& why) override {
        return call_on<void>(lane_, [&] { return holds_.lift(hold, why); });
    }

 private:
    Lane& lane_;
    Holds& holds_;
};

}  // namespace penumbra::agent
