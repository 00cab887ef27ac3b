#include "coordinator/core/waiting.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace penumbra::coordinator {

std::string Ending::sentence() const {
    return report.message.empty() ? std::string(model::to_string(state)) : report.message;
}

std::optional<Ending> ending_of(const Fleet& fleet, const CommandId& pending) {
    const auto found = fleet.commands.find(pending);
    if (found == fleet.commands.end()) {
        return Ending{.state = model::CommandState::kFailed,
                      .report = {.command = pending, .message = "what became of it is no longer remembered"}};
    }
    if (!model::is_final(found->second.state)) return std::nullopt;
    return Ending{.state = found->second.state, .report = found->second.report};
}

bool waited(Turn& turn, const HostId& host, const std::string& what, std::chrono::milliseconds length) {
    Instant& since = turn.fleet.waiting_since.try_emplace(what, turn.at.now).first->second;
    const auto found = turn.fleet.hosts.find(host);
    const bool in_contact = found != turn.fleet.hosts.end() && (found->second.state == model::HostState::kOnline ||
                                                                found->second.state == model::HostState::kDegraded);
    if (!in_contact) {
        since = turn.at.now;
        return false;
    }
    return turn.at.now - since >= length;
}

void waited_enough(Turn& turn, const std::string& what) {
    turn.fleet.waiting_since.erase(what);
}

const model::EffectStatus* effect_on(const Fleet& fleet, const HostId& host, const EffectId& effect) {
    const auto found = fleet.hosts.find(host);
    if (found == fleet.hosts.end()) return nullptr;
    const auto& effects = found->second.effects;
    const auto status = std::ranges::find(effects, effect, &model::EffectStatus::id);
    return status == effects.end() ? nullptr : &*status;
}

bool ended_by_itself(const model::EffectStatus* status) noexcept {
    if (status == nullptr) return false;
    return status->state == model::EffectState::kReverted || status->state == model::EffectState::kConflict ||
           status->state == model::EffectState::kFailed;
}

}  // namespace penumbra::coordinator
