#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "proto/model/api.hpp"
#include "proto/model/session.hpp"

/// The wire: protobuf's format as proto/*.proto says it, by one schema a message for reading and writing
/// (docs/decisions/0002). Bytes of a peer are hostile: every bound is checked before memory is taken for what it
/// bounds, depth 16; a kind this version does not know is kUnsupported, all else kInvalidArgument. A field a later
/// version adds inside a known message is skipped. Thread-safe, no state, no exceptions.
namespace penumbra::codec {

/// The word of a kind of message: "hello", "kpi_report".
[[nodiscard]] std::string_view kind_of(const model::Body& body) noexcept;

/// Fleet link. encode() refuses whatever decode() would refuse: what was sent can be read.
[[nodiscard]] Result<std::string> encode(const model::Envelope& envelope);
[[nodiscard]] Result<model::Envelope> decode(std::string_view bytes);

/// Local socket between CLI and coordinator.
[[nodiscard]] Result<std::string> encode(const model::api::Request& request);
[[nodiscard]] Result<std::string> encode(const model::api::Reply& reply);
[[nodiscard]] Result<model::api::Request> decode_request(std::string_view bytes);
[[nodiscard]] Result<model::api::Reply> decode_reply(std::string_view bytes);

/// One value as bytes, for a store: the same messages, limits and rules as on the wire. A value that does not read back
/// is kDataLoss. T: HostFacts, Generation, ShadowStatus, IsolationReport, EffectSpec, EffectStatus, Command,
/// CommandReport, KpiWindow, Verdict, TrialStatus, RolloutStatus, GroupView, ForecastView, api::Reply.
template <class T>
[[nodiscard]] Result<std::string> pack(const T& value);
template <class T>
[[nodiscard]] Result<T> unpack(std::string_view bytes);

}  // namespace penumbra::codec
