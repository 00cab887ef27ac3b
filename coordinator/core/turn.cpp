#include "coordinator/core/turn.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace penumbra::coordinator {

namespace {
model::Envelope to_session(Host& host, model::Body body) {
    return {.session = *host.session, .sequence = ++host.sequence, .body = std::move(body)};
}
}  // namespace

void Turn::send_at_once(Host& host, model::Body body) {
    if (!host.session.has_value()) return;
    at_once.emplace_back(Send{.host = host.record.host, .envelope = to_session(host, std::move(body))});
}

void Turn::send_after_commit(Host& host, model::Body body) {
    if (!host.session.has_value()) return;
    after_commit.emplace_back(Send{.host = host.record.host, .envelope = to_session(host, std::move(body))});
}

void Turn::tell(std::string kind, std::string subject, std::string message, std::string user) {
    keep(EventRecord{{.sequence = ++fleet.counters.event,
                      .at = at.wall,
                      .kind = std::move(kind),
                      .subject = std::move(subject),
                      .message = std::move(message),
                      .user = std::move(user)}});
}

std::string Turn::new_name(std::string_view prefix) {
    return fmt::format("{}-{}-{}", prefix, number(fleet.epoch), ++fleet.counters.name);
}

Fence Turn::new_fence() {
    fleet.counters.fence = Fence{number(fleet.counters.fence) + 1};
    return fleet.counters.fence;
}

const Host* host_of(const Fleet& fleet, std::string_view vm) {
    for (const auto& [id, host] : fleet.hosts) {
        if (host.record.retired) continue;
        const bool has = std::ranges::any_of(host.record.facts.vms, [&](const model::VmFacts& facts) {
            return facts.name == vm || facts.vm.text() == vm;
        });
        if (has) return &host;
    }
    return nullptr;
}

}  // namespace penumbra::coordinator
