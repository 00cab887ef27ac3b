#pragma once

// Internal to proto/codec: each message of proto/{command,envelope}.proto, once, for reading and writing.

#include "base/limits/agent.hpp"
#include "base/limits/base.hpp"
#include "base/limits/wire.hpp"
#include "proto/codec/schema_host.hpp"
#include "proto/model/session.hpp"

namespace penumbra::codec {

template <>
inline constexpr auto kLastOf<ErrorCode> = ErrorCode::kInternal;
template <>
inline constexpr auto kLastOf<model::CommandState> = model::CommandState::kUnknown;
template <>
inline constexpr auto kLastOf<model::Rejection> = model::Rejection::kPrecondition;

// ---- command.proto
void fields(auto& v, model::ReplicateGroup& op) {
    v(1, "replicate group", op.group);
}
void fields(auto& v, model::CreateShadow& op) {
    v(1, "create shadow", op.shadow);
}
void fields(auto& v, model::DestroyShadow& op) {
    v(1, "destroy shadow", op.shadow);
}
void fields(auto& v, model::StartReplay& op) {
    v(1, "replay shadow", op.shadow);
    v.between(2, "replay share", op.share, 0, 1);
    v.between(3, "replay rate multiple", op.rate_multiple, 0, limits::kReplayRateMultipleMax);
    v.list(4, "replay arms", op.arms, limits::kArmsPerShadowMax);
}
void fields(auto& v, model::StopReplay& op) {
    v(1, "stop replay shadow", op.shadow);
}
void fields(auto& v, model::ApplyEffect& op) {
    v(1, "apply effect", op.effect);
    v.expect(!op.effect.id.empty() && !op.effect.target.vm.empty(), "apply effect", "its id or VM is not named");
}
void fields(auto& v, model::ConfirmEffect& op) {
    v(1, "confirm effect", op.effect);
}
void fields(auto& v, model::RevertEffect& op) {
    v(1, "revert effect", op.effect);
}
void fields(auto& v, model::InspectVm& op) {
    v(1, "inspect vm", op.vm);
    v.maybe(2, "inspect shadow", op.shadow);
    v.maybe(3, "inspect arm", op.arm);
}
void fields(auto&, model::CleanHost&) {}
void fields(auto& v, model::ProbeIsolation& op) {
    v(1, "probe shadow", op.shadow);
    v(2, "probe arm", op.arm);
}
void fields(auto& v, model::Operation& operation) {
    v.choice(1, "operation", operation);
}
void fields(auto& v, model::Command& command) {
    v(1, "command", command.id);
    v(2, "command epoch", command.epoch);
    v(3, "command resource", command.resource);
    v(4, "command fence", command.fence);
    v(5, "command time to accept", command.time_to_accept);
    v(6, "command operation", command.operation);
}
void fields(auto&, model::Done&) {}
void fields(auto& v, model::Inspected& inspected) {
    v.text(1, "config hash", inspected.config_hash, limits::kHashTextBytesMax);
}
void fields(auto& v, model::Outcome& outcome) {
    v.choice(1, "outcome", outcome);
}
void fields(auto& v, model::CommandReport& report) {
    v(1, "report command", report.command);
    v(2, "report state", report.state);
    v(3, "report rejection", report.rejection);
    v(4, "report error code", report.error_code);
    v(5, "report message", report.message);
    v(6, "report time", report.at);
    v.between(7, "report progress", report.progress, 0, 1);
    v(8, "report time left", report.time_left);
    v(9, "report outcome", report.outcome);
}

// ---- envelope.proto
void fields(auto& v, model::SessionId& session) {
    v(1, "session epoch", session.epoch);
    v(2, "session counter", session.counter);
}
void fields(auto& v, model::Hello& hello) {
    v(1, "hello host", hello.host);
    v.text(2, "hello agent version", hello.agent_version, limits::kIdBytesMax);
    v(3, "hello protocol min", hello.protocol_min);
    v(4, "hello protocol max", hello.protocol_max);
    v.text(5, "hello boot id", hello.boot_id, limits::kIdBytesMax);
    v.text(6, "hello instance", hello.instance, limits::kIdBytesMax);
    v(7, "hello highest fence seen", hello.fence_max_seen);
    v(8, "hello highest epoch seen", hello.epoch_max_seen);
    v(9, "hello facts", hello.facts);
    v.list(10, "hello commands", hello.commands, limits::kReportsPerHelloMax);
    v.expect(hello.protocol_min <= hello.protocol_max, "hello protocol min", "it is above the max");
}
void fields(auto& v, model::Heartbeat& heartbeat) {
    v(1, "heartbeat sent", heartbeat.sent_ms);
    v(2, "heartbeat loop lag", heartbeat.loop_lag_ms);
    v(3, "heartbeat state version", heartbeat.state_version);
    v.list(4, "heartbeat troubles", heartbeat.troubles, limits::kReasonsMax);
    v.list(5, "heartbeat hints", heartbeat.hints, limits::kReasonsMax);
}
void fields(auto& v, model::FactsReport& report) {
    v(1, "facts version", report.version);
    v(2, "facts", report.facts);
}
void fields(auto& v, model::KpiReport& report) {
    v.list(1, "kpi windows", report.windows, limits::kKpiWindowsPerReportMax);
}
void fields(auto& v, model::EffectReport& report) {
    v(1, "effects version", report.version);
    v.list(2, "effects", report.effects, limits::kEffectsPerReportMax);
}
void fields(auto& v, model::ShadowReport& report) {
    v(1, "shadows version", report.version);
    v.list(2, "shadows", report.shadows, limits::kShadowsPerReportMax);
}
void fields(auto& v, model::Goodbye& goodbye) {
    v(1, "goodbye reason", goodbye.reason);
}
void fields(auto& v, model::Welcome& welcome) {
    v(1, "welcome session", welcome.session);
    v(2, "welcome answers", welcome.answers);
    v(3, "welcome heartbeat interval", welcome.heartbeat_interval);
    v(4, "welcome reconnect spread", welcome.reconnect_spread);
    v(5, "welcome credit", welcome.credit);
}
void fields(auto& v, model::HeartbeatAck& ack) {
    v(1, "heartbeat echo", ack.echo_ms);
    v(2, "heartbeat state seen", ack.state_seen);
}
void fields(auto& v, model::Reset& reset) {
    v(1, "reset reason", reset.reason);
    v(2, "reset retry after", reset.retry_after);
}
void fields(auto& v, model::ResultAck& ack) {
    v(1, "acknowledged command", ack.command);
}
void fields(auto& v, std::pair<model::Vantage, std::uint64_t>& committed) {
    v(1, "committed vantage", committed.first);
    v(2, "committed up to", committed.second);
}
void fields(auto& v, model::KpiAck& ack) {
    v.list(1, "committed windows", ack.committed_up_to, limits::kKpiAcksMax);
}
void fields(auto& v, model::Envelope& envelope) {
    v(1, "protocol", envelope.protocol);
    v(2, "session", envelope.session);
    v(3, "sequence", envelope.sequence);
    v.choice(10, "body", envelope.body);
}

}  // namespace penumbra::codec
