#pragma once

// Internal to proto/codec: each message of proto/api.proto, once, for reading and writing.

#include "base/limits/base.hpp"
#include "base/limits/coordinator.hpp"
#include "base/limits/local.hpp"
#include "base/limits/wire.hpp"
#include "proto/codec/schema_decision.hpp"
#include "proto/codec/schema_link.hpp"
#include "proto/model/api.hpp"

namespace penumbra::codec {

template <>
inline constexpr auto kLastOf<model::HostState> = model::HostState::kRetired;

// ---- what replies list
void fields(auto& v, model::HostView& host) {
    v(1, "host", host.host);
    v(2, "host state", host.state);
    v(3, "host reason", host.reason);
    v(4, "host agent version", host.agent_version);
    v(5, "host silent for", host.silent_for);
    v(6, "host facts", host.facts);
    v.list(7, "host troubles", host.troubles, limits::kReasonsMax);
    v.list(8, "host hints", host.hints, limits::kReasonsMax);
}
void fields(auto& v, model::VmView& vm) {
    v(1, "vm host", vm.host);
    v(2, "vm facts", vm.facts);
}
void fields(auto& v, model::GroupView& group) {
    v(1, "group", group.group);
    v.maybe(2, "group host", group.host);
    v.list(3, "group vms", group.vms, limits::kVmsPerHostMax);
    v.list(4, "group generations", group.generations, limits::kGenerationsListedMax);
}
void fields(auto& v, model::ShadowView& shadow) {
    v.maybe(1, "shadow host", shadow.host);
    v(2, "shadow status", shadow.status);
}
void fields(auto& v, model::CommandView& command) {
    v(1, "command", command.id);
    v(2, "command host", command.host);
    v(3, "command resource", command.resource);
    v(4, "command operation", command.operation);
    v(5, "command state", command.state);
    v(6, "command reason", command.reason);
    v(7, "command asked by", command.asked_by);
    v(8, "command created", command.created);
    v.between(9, "command progress", command.progress, 0, 1);
    v(10, "command time left", command.time_left);
}
void fields(auto& v, model::EventView& event) {
    v(1, "event sequence", event.sequence);
    v(2, "event time", event.at);
    v(3, "event kind", event.kind);
    v(4, "event subject", event.subject);
    v(5, "event message", event.message);
    v(6, "event user", event.user);
}
void fields(auto& v, model::ForecastPoint& point) {
    v(1, "forecast time", point.at);
    v.numbers(2, "forecast values", point.values, limits::kQuantilesMax);
}
void fields(auto& v, model::ForecastView& forecast) {
    v(1, "forecast group", forecast.group);
    v(2, "forecast metric", forecast.metric);
    v.numbers(3, "forecast quantiles", forecast.quantiles, limits::kQuantilesMax);
    v.list(4, "forecast next hour", forecast.next_hour, limits::kItemsPerReplyMax);
    v.list(5, "forecast next day", forecast.next_day, limits::kItemsPerReplyMax);
    v.numbers(6, "forecast past coverage", forecast.past_coverage, limits::kQuantilesMax);
    v(7, "forecast points used", forecast.points_used);
    v(8, "forecast present", forecast.present);
    v(9, "forecast method", forecast.method);
}

// ---- requests
void fields(auto&, model::api::ListHosts&) {}
void fields(auto& v, model::api::ListVms& list) {
    v.maybe(1, "host", list.host);
}
void fields(auto&, model::api::ListGroups&) {}
void fields(auto&, model::api::ListShadows&) {}
void fields(auto& v, model::api::ListTrials& list) {
    v.maybe(1, "trial", list.trial);
}
void fields(auto& v, model::api::ListRollouts& list) {
    v.maybe(1, "rollout", list.rollout);
}
void fields(auto& v, model::api::ListCommands& list) {
    v.maybe(1, "command", list.command);
}
void fields(auto& v, model::api::ListEvents& list) {
    v(1, "after", list.after);
    v(2, "count", list.count_max);
}
void fields(auto& v, model::api::ListKpi& list) {
    v(1, "vantage", list.vantage);
    v(2, "from", list.from);
    v(3, "to", list.to);
}
void fields(auto& v, model::api::ShowForecast& show) {
    v(1, "group", show.group);
    v(2, "metric", show.metric);
}
void fields(auto& v, model::api::Replicate& replicate) {
    v(1, "group", replicate.group);
}
void fields(auto& v, model::api::MakeShadow& make) {
    v(1, "shadow", make.shadow);
}
void fields(auto& v, model::api::RemoveShadow& remove) {
    v(1, "shadow", remove.shadow);
}
void fields(auto& v, model::api::ProbeShadow& probe) {
    v(1, "shadow", probe.shadow);
    v(2, "arm", probe.arm);
}
void fields(auto& v, model::api::ListIsolation& list) {
    v.maybe(1, "shadow", list.shadow);
}
void fields(auto& v, model::api::RunTrial& run) {
    v(1, "file name", run.file_name);
    v.text(2, "toml", run.toml, limits::kTomlBytesMax);
}
void fields(auto& v, model::api::AbortTrial& abort) {
    v(1, "trial", abort.trial);
}
void fields(auto& v, model::api::ApplyRollout& apply) {
    v(1, "file name", apply.file_name);
    v.text(2, "toml", apply.toml, limits::kTomlBytesMax);
}
void fields(auto& v, model::api::ConfirmRollout& confirm) {
    v(1, "rollout", confirm.rollout);
}
void fields(auto& v, model::api::AbortRollout& abort) {
    v(1, "rollout", abort.rollout);
}
void fields(auto& v, model::api::ImportHistory& import) {
    v(1, "group", import.group);
    v(2, "metric", import.metric);
    v(3, "file name", import.file_name);
    v.text(4, "csv", import.csv, limits::kHistoryCsvBytesMax);
}
void fields(auto& v, model::api::MakeToken& make) {
    v(1, "host", make.host);
}
void fields(auto& v, model::api::RemoveEverything& remove) {
    v(1, "host", remove.host);
}
void fields(auto& v, model::api::RetireHost& retire) {
    v(1, "host", retire.host);
}
void fields(auto& v, model::api::ResolveCommand& resolve) {
    v(1, "command", resolve.command);
    v(2, "state", resolve.state);
}
void fields(auto& v, model::api::Request& request) {
    v.text(1, "request id", request.request_id, limits::kIdBytesMax);
    v.choice(10, "request", request.body);
}

// ---- replies
void fields(auto& v, model::api::Failure& failure) {
    v(1, "failure code", failure.code);
    v.text(2, "failure message", failure.message, limits::kTomlBytesMax);
}
void fields(auto& v, model::api::Accepted& accepted) {
    v(1, "subject", accepted.subject);
}
void fields(auto& v, model::api::Token& token) {
    v(1, "token", token.token);
    v(2, "server key", token.server_key);
}
void fields(auto& v, model::api::Imported& imported) {
    v(1, "points", imported.points);
}
void fields(auto& v, model::api::Reply& reply) {
    v.text(1, "request id", reply.request_id, limits::kIdBytesMax);
    v.choice(10, "reply", reply.body);
}

}  // namespace penumbra::codec
