#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/lane.hpp"
#include "agent/news.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "netisolate/sandbox_network.hpp"

namespace penumbra::agent {

/// How the shadow flow has a sandbox guarded. Blocks.
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
    /// When it returns, nobody looks at the sandbox any more. One that is not guarded is a success.
    [[nodiscard]] virtual Result<void> release(const std::string& owner) = 0;
};

/// Guards the sandboxes, on a lane of its own that nothing else may hold up. Thread-bound; blocks.
class WatchFlow final : public Guards {
 public:
    /// Whose sandbox was severed, and one sentence why: the taps are down already. From this lane; false: not heard, to
    /// be said again.
    using Severed = std::function<bool(const std::string& owner, const std::string& reason)>;
    struct Parts {  ///< borrowed, all outlive the flow
        netisolate::SwitchControl& control;
        netisolate::LinkControl& links;
        const Clock& clock;
        Severed severed;
        Tell tell;
    };
    explicit WatchFlow(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] Result<void> guard(const netisolate::IsolationPlan& plan) override;
    [[nodiscard]] Result<void> release(const std::string& owner) override;
    /// Every limits::kIsolationAuditInterval: looks at every sandbox once.
    void round();

 private:
    Parts parts_;
    struct Watched {
        std::unique_ptr<netisolate::IsolationWatch> watch;
        bool told = false;  ///< that it is severed
    };
    std::map<std::string, Watched> watches_;
    std::vector<std::string> troubles_;
};

/// Another lane's guards, from any lane that may wait for it.
class GuardsOnLane final : public Guards {
 public:
    GuardsOnLane(Lane& lane, Guards& guards) : lane_(lane), guards_(guards) {}
    [[nodiscard]] Result<void> guard(const netisolate::IsolationPlan& plan) override {
        return call_on<void>(lane_, [&] { return guards_.guard(plan); });
    }
    [[nodiscard]] Result<void> release(const std::string& owner) override {
        return call_on<void>(lane_, [&] { return guards_.release(owner); });
    }

 private:
    Lane& lane_;
    Guards& guards_;
};

}  // namespace penumbra::agent
