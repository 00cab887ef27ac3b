#pragma once

#include <functional>

#include "agent/news.hpp"
#include "agent/shadow_flow.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::agent {

/// Shows that an arm is isolated, when the operator asks. On the shadow flow's lane; blocks for as long as the probe
/// listens.
class ProbeFlow {
 public:
    /// Sends hostile frames from the sandbox and listens to production. The report's names and time are filled in here.
    using Probe = std::function<Result<model::IsolationReport>(const netisolate::IsolationPlan& sandbox)>;
    struct Parts {  ///< borrowed, all outlive the flow
        ShadowFlow& shadows;
        Probe probe;
        const Clock& clock;
        Tell tell;
    };
    explicit ProbeFlow(Parts parts) : parts_(std::move(parts)) {}

    /// ProbeIsolation. Probing again changes nothing.
    void execute(const model::Command& command);

 private:
    [[nodiscard]] Result<model::IsolationReport> probe(const model::ProbeIsolation& order);

    Parts parts_;
};

}  // namespace penumbra::agent
