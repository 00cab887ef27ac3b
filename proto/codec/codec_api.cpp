#include "base/limits/local.hpp"
#include "proto/codec/codec.hpp"
#include "proto/codec/schema_api.hpp"
//
#include "proto/codec/message.hpp"

namespace penumbra::codec {

namespace {
constexpr std::string_view kRequest = "a request on the local socket";
constexpr std::string_view kReply = "a reply on the local socket";
}  // namespace

Result<std::string> encode(const model::api::Request& request) {
    return write_message(kRequest, request, limits::kApiBytesMax);
}
Result<std::string> encode(const model::api::Reply& reply) {
    return write_message(kReply, reply, limits::kApiBytesMax);
}
Result<model::api::Request> decode_request(std::string_view bytes) {
    return read_message<model::api::Request>(kRequest, bytes, limits::kApiBytesMax);
}
Result<model::api::Reply> decode_reply(std::string_view bytes) {
    return read_message<model::api::Reply>(kReply, bytes, limits::kApiBytesMax);
}

template <class T>
Result<std::string> pack(const T& value) {
    return write_message("a value to be stored", value, limits::kApiBytesMax);
}

template <class T>
Result<T> unpack(std::string_view bytes) {
    Result<T> read = read_message<T>("a stored value", bytes, limits::kApiBytesMax);
    if (!read.has_value()) {
        return fail(ErrorCode::kDataLoss,
                    fmt::format("{}: the store is damaged, or of a later version", read.error().message));
    }
    return read;
}

template Result<std::string> pack(const model::HostFacts&);
template Result<model::HostFacts> unpack(std::string_view);
template Result<std::string> pack(const model::Generation&);
template Result<model::Generation> unpack(std::string_view);
template Result<std::string> pack(const model::ShadowStatus&);
template Result<model::ShadowStatus> unpack(std::string_view);
template Result<std::string> pack(const model::IsolationReport&);
template Result<model::IsolationReport> unpack(std::string_view);
template Result<std::string> pack(const model::EffectSpec&);
template Result<model::EffectSpec> unpack(std::string_view);
template Result<std::string> pack(const model::EffectStatus&);
template Result<model::EffectStatus> unpack(std::string_view);
template Result<std::string> pack(const model::Command&);
template Result<model::Command> unpack(std::string_view);
template Result<std::string> pack(const model::CommandReport&);
template Result<model::CommandReport> unpack(std::string_view);
template Result<std::string> pack(const model::KpiWindow&);
template Result<model::KpiWindow> unpack(std::string_view);
template Result<std::string> pack(const model::Verdict&);
template Result<model::Verdict> unpack(std::string_view);
template Result<std::string> pack(const model::TrialStatus&);
template Result<model::TrialStatus> unpack(std::string_view);
template Result<std::string> pack(const model::RolloutStatus&);
template Result<model::RolloutStatus> unpack(std::string_view);
template Result<std::string> pack(const model::GroupView&);
template Result<model::GroupView> unpack(std::string_view);
template Result<std::string> pack(const model::ForecastView&);
template Result<model::ForecastView> unpack(std::string_view);
template Result<std::string> pack(const model::api::Reply&);
template Result<model::api::Reply> unpack(std::string_view);

}  // namespace penumbra::codec
