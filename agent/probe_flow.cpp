#include "agent/probe_flow.hpp"

#include <utility>

#include <fmt/format.h>

namespace penumbra::agent {

Result<model::IsolationReport> ProbeFlow::probe(const model::ProbeIsolation& order) {
    ShadowRecord& record = *TRY(parts_.shadows.find(order.shadow));
    if (record.arm(order.arm) == nullptr) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("shadow {} has no arm {}", order.shadow.text(), order.arm.text()));
    }
    model::IsolationReport report = TRY(parts_.probe(TRY(record.plan(order.arm))));
    report.shadow = order.shadow;
    report.arm = order.arm;
    report.at = parts_.clock.wall();
    return report;
}

void ProbeFlow::execute(const model::Command& command) {
    const auto* order = std::get_if<model::ProbeIsolation>(&command.operation);
    ASSERT(order != nullptr);
    parts_.tell(Event(WorkerReported{ended(command, probe(*order), parts_.clock.wall())}));
}

}  // namespace penumbra::agent
