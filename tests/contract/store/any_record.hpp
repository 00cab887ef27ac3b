#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/core/records.hpp"
#include "tests/support/any_message.hpp"

namespace penumbra::coordinator::contract {

inline EventRecord event_of(std::uint64_t sequence, std::string message = "it began") {
    return {{.sequence = sequence,
             .at = WallTime(std::chrono::milliseconds(1000 * sequence)),
             .kind = "trial_ended",
             .subject = "trial:t1",
             .message = std::move(message),
             .user = "anna"}};
}

inline KpiRecord window_of(const model::Vantage& vantage, std::uint64_t sequence, std::uint64_t requests = 10) {
    return {{.vantage = vantage,
             .sequence = sequence,
             .begin = WallTime(std::chrono::seconds(1'800'000'000 + sequence)),
             .length = std::chrono::seconds(1),
             .requests = requests}};
}

inline CommandRecord command_of(std::uint64_t number, model::CommandState state) {
    CommandRecord record;
    record.command.id = CommandId("c" + std::to_string(number));
    record.command.epoch = Epoch(1);
    record.command.resource = ResourceId("group:shop");
    record.command.fence = Fence(number);
    record.command.operation = model::ReplicateGroup{GroupId("shop")};
    record.host = HostId("hv1");
    record.state = state;
    record.asked_by = "user:anna";
    record.created = WallTime(std::chrono::milliseconds(number));
    return record;
}

/// One of each kind, with whatever the wire's rules admit in it.
inline std::vector<Record> any_records(std::uint64_t seed) {
    using testing::any_message;
    CommandRecord command = command_of(seed + 1, model::CommandState::kRunning);
    command.command = any_message<model::Command>(seed);
    command.accepted = seed % 2 == 0;
    if (seed % 3 != 0) command.report = any_message<model::CommandReport>(seed);
    const auto group = any_message<model::GroupView>(seed);
    TrialRecord trial{.status = any_message<model::TrialStatus>(seed),
                      .pending = CommandId("c7"),
                      .effect = EffectId("e7"),
                      .span = any_message<model::TrialSpan>(seed),
                      .asked_by = "user:anna"};
    if (trial.status.spec.trial.empty()) trial.status.spec.trial = TrialId("t1");
    KpiRecord window{any_message<model::KpiWindow>(seed)};
    window.window.sequence %= 1'000'000'000;
    ShadowRecord shadow{.host = HostId("hv2"), .status = any_message<model::ShadowStatus>(seed)};
    for (std::uint64_t arm = 0; arm < seed % 3; ++arm)
        shadow.isolation.push_back(any_message<model::IsolationReport>(seed + arm));
    return {HostRecord{HostId("hv1"), seed % 2 == 1, true, "0.1.0", any_message<model::HostFacts>(seed)},
            command,
            GroupRecord{group.group, group.host, group.vms, group.generations},
            shadow,
            trial,
            RolloutRecord{.status = any_message<model::RolloutStatus>(seed),
                          .pending = CommandId("c8"),
                          .drill_effect = EffectId("e8"),
                          .shadow_host = HostId("hv2"),
                          .verify_from = WallTime(std::chrono::milliseconds(seed)),
                          .why = "a guard broke",
                          .asked_by = "user:ben"},
            RequestRecord{"anna", {.request_id = "r1", .body = model::api::Accepted{"trial:t1"}}},
            window,
            Counters{.fence = Fence(seed), .name = seed + 1, .event = seed + 2}};
}

}  // namespace penumbra::coordinator::contract
