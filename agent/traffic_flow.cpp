#include "agent/traffic_flow.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/unit_words.hpp"
#include "base/durable_file.hpp"

namespace penumbra::agent {

namespace {

std::string instance_of(const ShadowId& shadow, const ArmId& arm) {
    return fmt::format("{}:{}", shadow.text(), arm.text());
}
std::string sandbox_unit(const ShadowId& shadow, const ArmId& arm) {
    return fmt::format("penumbra-sandbox@{}.service", instance_of(shadow, arm));
}

model::Vantage vantage_of(const ShadowRecord& record, const ArmId& arm) {
    return {.group = record.status.spec.group, .shadow = record.id(), .arm = arm};
}
model::Vantage production_of(const ShadowRecord& record) {
    return {.group = record.status.spec.group};
}

}  // namespace

std::filesystem::path TrafficFlow::sandbox_folder(const ShadowId& shadow, const ArmId& arm) const {
    return parts_.run_folder / "sandbox" / instance_of(shadow, arm);
}

// ---- bringing up

Result<void> TrafficFlow::start_sandbox(const ShadowRecord& record, const ArmId& arm,
                                        const std::vector<std::string>& servers) {
    const netisolate::IsolationPlan plan = TRY(record.plan(arm));
    const std::filesystem::path folder = sandbox_folder(record.id(), arm);
    const std::filesystem::path feed_socket = capture_folder(parts_.run_folder, record.status.spec.group) / arm.text();
    const std::vector<std::string> words =
        with_servers({"--group", record.status.spec.group.text(), "--shadow", record.id().text(), "--arm", arm.text(),
                      "--interface", plan.trap, "--netns", (parts_.space_folder / plan.space).native(), "--key",
                      record.replay->key, "--capture", feed_socket.native(), "--report", (folder / "report").native(),
                      "--multiple", fmt::to_string(record.replay->multiples.at(arm))},
                     servers);
    TRY(tell_unit(folder.native() + ".env", words));
    TRY(parts_.units.start(sandbox_unit(record.id(), arm)));
    return parts_.readers.attach(
        {.vantage = vantage_of(record, arm), .domain = record.domain(arm), .socket = folder / "report"});
}

Result<void> TrafficFlow::bring_up(const ShadowRecord& record) {
    CaptureOrder order{.group = record.status.spec.group,
                       .vm = record.source,
                       .key = record.replay->key,
                       .share = record.replay->share};
    for (const auto& [arm, multiple] : record.replay->multiples)
        order.arms.push_back(arm);
    const std::vector<std::string> servers = TRY(parts_.captures.begin(order));
    for (const ArmId& arm : order.arms)
        TRY(start_sandbox(record, arm, servers));
    return {};
}

Result<void> TrafficFlow::bring_down(const ShadowRecord& record) {
    Result<void> all;
    // The readers stay until the processes have ended: their last windows are waited for.
    for (const ArmId& arm : record.status.spec.arms) {
        also(all, parts_.units.stop(sandbox_unit(record.id(), arm)));
        also(all, parts_.readers.detach(vantage_of(record, arm)));
        also(all, remove_file_durably(sandbox_folder(record.id(), arm).native() + ".env"));
    }
    also(all, parts_.captures.end(record.status.spec.group));
    return all;
}

// ---- orders

Result<void> TrafficFlow::change_rates(const ShadowRecord& record) {
    TRY(parts_.readers.set_rate(production_of(record), record.replay->share));
    for (const auto& [arm, multiple] : record.replay->multiples)
        TRY(parts_.readers.set_rate(vantage_of(record, arm), multiple));
    return {};
}

Result<void> TrafficFlow::begin(const model::StartReplay& order) {
    ShadowRecord& record = *TRY(parts_.shadows.find(order.shadow));
    for (const auto& [id, other] : parts_.shadows.records()) {
        if (id == order.shadow || !other.replay.has_value() || other.status.spec.group != record.status.spec.group)
            continue;
        return fail(ErrorCode::kConflict,
                    fmt::format("the traffic of group {} is replayed to shadow {}: stop that first",
                                record.status.spec.group.text(), id.text()));
    }
    ReplayOrder wanted = record.replay.value_or(ReplayOrder{});
    if (!record.replay.has_value()) wanted.key = TRY(parts_.new_key());
    wanted.share = order.share;
    for (const ArmId& arm : order.arms.empty() ? record.status.spec.arms : order.arms) {
        const model::ArmStatus* status = record.arm(arm);
        if (status == nullptr || status->state != model::ArmState::kServing) {
            return fail(ErrorCode::kUnavailable,
                        fmt::format("arm {} of shadow {} does not serve{}", arm.text(), record.id().text(),
                                    status == nullptr || status->reason.empty() ? "" : ": " + status->reason));
        }
        wanted.multiples[arm] = order.rate_multiple;
    }
    const bool runs = record.replay.has_value();
    const bool same_arms =
        runs && std::ranges::equal(record.replay->multiples, wanted.multiples, {},
                                   &std::pair<const ArmId, double>::first, &std::pair<const ArmId, double>::first);
    if (runs && !same_arms) TRY(end(record));
    record.replay = wanted;
    TRY(parts_.shadows.keep(record));
    return same_arms ? change_rates(record) : bring_up(record);
}

Result<void> TrafficFlow::end(ShadowRecord& record) {
    if (!record.replay.has_value()) return {};
    TRY(bring_down(record));
    record.replay.reset();
    return parts_.shadows.keep(record);
}

void TrafficFlow::execute(const model::Command& command) {
    Result<void> outcome = fail(ErrorCode::kUnsupported, "this is nothing the traffic flow does");
    if (const auto* order = std::get_if<model::StartReplay>(&command.operation)) {
        outcome = begin(*order);
        const auto record = parts_.shadows.find(order->shadow);
        if (!outcome.has_value() && outcome.error().code != ErrorCode::kConflict && record.has_value())
            follow_by(outcome, end(**record));
    }
    if (const auto* order = std::get_if<model::StopReplay>(&command.operation)) {
        const auto record = parts_.shadows.find(order->shadow);
        outcome = record.has_value() ? end(**record) : Result<void>();
    }
    parts_.tell(Event(WorkerReported{ended(command, outcome, parts_.clock.wall())}));
}

// ---- time

void TrafficFlow::start() {
    for (auto& [id, record] : parts_.shadows.records()) {
        if (!record.replay.has_value() || record.stage != ShadowRecord::Stage::kStanding) continue;
        // The former life's mirror was undone at the start: the processes begin anew on a new one.
        Result<void> again = bring_down(record);
        if (again.has_value()) again = bring_up(record);
        if (again.has_value()) continue;
        follow_by(again, end(record));
        start_troubles_.push_back(fmt::format("the replay to shadow {} could not be taken up again: {}", id.text(),
                                              again.error().describe()));
    }
}

void TrafficFlow::look_at(const ShadowRecord& record, std::vector<std::string>& troubles) {
    std::vector<std::string> units{capture_unit(record.status.spec.group)};
    for (const auto& [arm, multiple] : record.replay->multiples)
        units.push_back(sandbox_unit(record.id(), arm));
    for (const std::string& unit : units) {
        const Result<systemd::UnitState> state = parts_.units.state(unit);
        if (!state.has_value()) {
            troubles.push_back(state.error().describe());
        } else if (*state == systemd::UnitState::kFailed || *state == systemd::UnitState::kInactive) {
            troubles.push_back(
                fmt::format("{} has ended, so shadow {} gets no traffic: see `journalctl -u {}`, then stop "
                            "and start the replay",
                            unit, record.id().text(), unit));
        }
    }
}

void TrafficFlow::tick() {
    std::vector<std::string> troubles = start_troubles_;
    for (const auto& [id, record] : parts_.shadows.records())
        if (record.replay.has_value()) look_at(record, troubles);
    parts_.tell(Troubles{.flow = "traffic", .sentences = std::move(troubles)});
}

}  // namespace penumbra::agent
