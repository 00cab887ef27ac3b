#pragma once

#include <string>

#include "agent/lane.hpp"
#include "base/result.hpp"
#include "netisolate/isolation_plan.hpp"
#include "netisolate/mirror_plan.hpp"

namespace penumbra::agent {

/// How other flows have a sandbox, or production's mirror, guarded. Blocks.
class Guards {
 public:
    Guards() = default;
    Guards(const Guards&) = delete;
    Guards& operator=(const Guards&) = delete;
    Guards(Guards&&) = delete;
    Guards& operator=(Guards&&) = delete;
    virtual ~Guards() = default;
    /// One that is guarded already is a success.
    [[nodiscard]] virtual Result<void> guard(const netisolate::IsolationPlan& plan) = 0;
    /// Of a mirror that stands.
    [[nodiscard]] virtual Result<void> guard(const netisolate::MirrorSpec& mirror) = 0;
    /// When it returns, nobody looks at it any more. One that is not guarded is a success.
    [[nodiscard]] virtual Result<void> release(const std::string& owner) = 0;
};

/// Another lane's guards, from any lane that may wait for it.
class GuardsOnLane final : public Guards {
 public:
    GuardsOnLane(Lane& lane, Guards& guards) : lane_(lane), guards_(guards) {}
    [[nodiscard]] Result<void> guard(const netisolate::IsolationPlan& plan) override {
        return call_on<void>(lane_, [&] { return guards_.guard(plan); });
    }
    [[nodiscard]] Result<void> guard(const netisolate::MirrorSpec& mirror) override {
        return call_on<void>(lane_, [&] { return guards_.guard(mirror); });
    }
    [[nodiscard]] Result<void> release(const std::string& owner) override {
        return call_on<void>(lane_, [&] { return guards_.release(owner); });
    }

 private:
    Lane& lane_;
    Guards& guards_;
};

}  // namespace penumbra::agent
