#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/journal_image.hpp"
#include "base/ids.hpp"
#include "proto/model/command.hpp"
#include "proto/model/policy.hpp"
#include "proto/model/session.hpp"

/// What goes into the agent's core and what comes out of it. Plain values: the core has no clock and does no I/O.
namespace penumbra::agent {

// ---- events
struct Tick {};  ///< at next_wake() or later
struct Received {
    model::Envelope envelope;
};
struct Journalled {  ///< every Journal action up to this number is on disk
    std::uint64_t number = 0;
};
/// Progress or the end of a command; `at` is set by the worker, who told what stands now before the end.
struct WorkerReported {
    model::CommandReport report;
};
struct FactsObserved {
    model::HostFacts facts;
};
struct EffectsObserved {
    std::vector<model::EffectStatus> effects;
};
struct ShadowsObserved {
    std::vector<model::ShadowStatus> shadows;
};
struct HealthObserved {
    std::vector<std::string> troubles;
    std::vector<std::string> hints;
    std::uint32_t loop_lag_ms = 0;
};
struct KpiMeasured {
    model::KpiWindow window;
};
struct PolicyRead {
    model::Policy policy;
};
struct Stopping {
    std::string reason;
};
using Event = std::variant<Tick, Received, Journalled, WorkerReported, FactsObserved, EffectsObserved, ShadowsObserved,
                           HealthObserved, KpiMeasured, PolicyRead, Stopping>;

// ---- actions, to be done in this order
struct Send {
    model::Envelope envelope;
};
struct Reconnect {};  ///< close the socket and make a new one
struct Journal {
    std::uint64_t number = 0;
    JournalRecord record;
};
struct Execute {  ///< its acceptance is on disk; a WorkerReported must end it
    model::Command command;
};
struct Recover {  ///< it was running when the agent died: find out what became of it, do not do it again
    model::Command command;
};
struct ReleaseKpi {  ///< the coordinator has committed them; their source may forget them
    model::Vantage vantage;
    std::uint64_t up_to = 0;
};
struct Note {  ///< for the log
    std::string kind;
    std::string message;
};
using Action = std::variant<Send, Reconnect, Journal, Execute, Recover, ReleaseKpi, Note>;
using Actions = std::vector<Action>;

}  // namespace penumbra::agent
