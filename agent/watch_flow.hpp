#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/guards.hpp"
#include "agent/news.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "netisolate/sandbox_network.hpp"

namespace penumbra::agent {

/// Guards sandboxes and mirrors, on a lane of its own that nothing else may hold up. Thread-bound; blocks.
class WatchFlow final : public Guards {
 public:
    /// Who was severed, and one sentence why: the links are down already. From this lane; false: not heard, to be said
    /// again.
    using Severed = std::function<bool(const std::string& owner, const std::string& reason)>;
    struct Parts {  ///< borrowed, all outlive the flow
        netisolate::SwitchControl& control;
        netisolate::LinkControl& links;
        const Clock& clock;
        Severed severed;         ///< a sandbox
        Severed mirror_severed;  ///< production's mirror
        Tell tell;
    };
    explicit WatchFlow(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] Result<void> guard(const netisolate::IsolationPlan& plan) override;
    [[nodiscard]] Result<void> guard(const netisolate::MirrorSpec& mirror) override;
    [[nodiscard]] Result<void> release(const std::string& owner) override;
    /// Every limits::kIsolationAuditInterval: looks at the host once and judges every sandbox by it, and now and then
    /// (limits::kMirrorAuditInterval) every mirror.
    void round();

 private:
    struct Watched {
        netisolate::IsolationWatch watch;
        bool mirror = false;
        std::string trouble;  ///< of the last look
        bool told = false;    ///< that it is severed
    };
    void add(const std::string& owner, netisolate::GuardedPlan plan);
    void judge(const std::string& owner, Watched& watched, const Result<netisolate::Sighting>& seen);

    Parts parts_;
    std::map<std::string, Watched> watches_;
    Instant mirrors_at_{};
    std::vector<std::string> troubles_;
};

}  // namespace penumbra::agent
