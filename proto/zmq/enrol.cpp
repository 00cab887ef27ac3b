#include "proto/zmq/enrol.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/limits/sockets.hpp"
#include "proto/zmq/client.hpp"

namespace penumbra::zmq {

namespace {
// Lines of text: nothing but one token and one name travel, and no later version has to read them.
constexpr std::string_view kAsk = "penumbra-enrol 1\n";
constexpr std::string_view kYes = "penumbra-enrol 1 yes\n";
constexpr std::string_view kNo = "penumbra-enrol 1 no\n";
constexpr std::size_t kTokenDigits = 64;

std::optional<std::string> token_of(std::string_view bytes) {
    if (!bytes.starts_with(kAsk)) return std::nullopt;
    bytes.remove_prefix(kAsk.size());
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (bytes.size() != kTokenDigits || !std::ranges::all_of(bytes, is_hex)) return std::nullopt;
    return std::string(bytes);
}

std::string reply_of(const Result<Enrolled>& enrolled) {
    if (!enrolled.has_value()) return fmt::format("{}{}", kNo, enrolled.error().message);
    return fmt::format("{}{} {}", kYes, enrolled->host.text(), enrolled->fleet_port);
}

Result<Enrolled> enrolled_of(std::string_view bytes) {
    if (bytes.starts_with(kNo)) {
        std::string sentence(bytes.substr(kNo.size()));
        std::ranges::replace_if(sentence, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
        return fail(ErrorCode::kPermissionDenied, std::move(sentence));
    }
    const std::string_view yes = bytes.substr(std::min(kYes.size(), bytes.size()));
    const std::size_t space = yes.find(' ');
    Enrolled enrolled;
    if (bytes.starts_with(kYes) && space != std::string_view::npos) {
        enrolled.host = TRY(HostId::parse(yes.substr(0, space)));
        const std::string_view port = yes.substr(space + 1);
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), enrolled.fleet_port);
        if (error == std::errc{} && end == port.data() + port.size() && enrolled.fleet_port != 0) return enrolled;
    }
    return fail(ErrorCode::kInternal, "the coordinator answered in words of another version: update penumbra-agent");
}
}  // namespace

EnrolServer::EnrolServer(std::unique_ptr<FleetServer> server, Asked asked)
    : server_(std::move(server)), asked_(std::move(asked)) {}
EnrolServer::~EnrolServer() = default;

Result<std::unique_ptr<EnrolServer>> EnrolServer::create(EventLoop& loop, Gate& gate, const keys::KeyPair& keys,
                                                         std::string endpoint, Asked asked) {
    gate.admit_any("enrol");
    auto link = TRY(FleetServer::create(loop, gate, keys,
                                        {.endpoint = std::move(endpoint),
                                         .domain = "enrol",
                                         .message_bytes_max = static_cast<std::int64_t>(limits::kEnrolBytesMax)}));
    auto server = std::unique_ptr<EnrolServer>(new EnrolServer(std::move(link), std::move(asked)));
    server->server_->on_message(
        [self = server.get()](const keys::PublicKey& key, std::string_view bytes) { self->hear(key, bytes); });
    return server;
}

void EnrolServer::hear(const keys::PublicKey& key, std::string_view bytes) {
    const std::optional<std::string> token = token_of(bytes);
    if (!token.has_value()) {
        return answer(key, fail(ErrorCode::kInvalidArgument,
                                "this is no enrolment: a token of 64 hex digits is wanted, as `penumbra host token` "
                                "prints it"));
    }
    if (waiting_.contains(key)) return;
    if (waiting_.size() >= limits::kEnrolAsksMax) {
        return answer(key, fail(ErrorCode::kResourceExhausted, "too many hosts enrol at once: try again in a minute"));
    }
    waiting_[key] = *token;
    asked_(key, *token, [this, key, alive = std::weak_ptr<bool>(alive_)](const Result<Enrolled>& enrolled) {
        if (!alive.expired() && waiting_.erase(key) > 0) answer(key, enrolled);
    });
}

void EnrolServer::answer(const keys::PublicKey& key, const Result<Enrolled>& enrolled) {
    // One that has gone meanwhile asks again.
    static_cast<void>(server_->send(key, reply_of(enrolled)).has_value());
    server_->forget(key);
}

Result<Enrolled> enrol(std::string_view server, keys::PublicKey server_key, keys::KeyPair keys, std::string_view token,
                       std::chrono::milliseconds deadline) {
    const auto loop = TRY(EventLoop::create());
    std::optional<Result<Enrolled>> reply;
    const auto client = TRY(FleetClient::create(*loop, std::move(keys),
                                                {.endpoint = fmt::format("tcp://{}", server),
                                                 .server_key = std::move(server_key),
                                                 .message_bytes_max = limits::kEnrolBytesMax}));
    client->on_message([&reply](std::string_view bytes) { reply = enrolled_of(bytes); });
    const std::string ask = fmt::format("{}{}", kAsk, token);
    const Instant end = BootClock::now() + deadline;
    Instant try_again = BootClock::now() + limits::kEnrolRetry;
    for (bool asked = false; !reply.has_value();) {
        if (BootClock::now() >= end) {
            return fail(ErrorCode::kUnavailable,
                        fmt::format("no coordinator with this key answers at {}: check --server and --server-key "
                                    "against what `penumbra host token` said, and the firewall on the way",
                                    server));
        }
        if (BootClock::now() >= try_again) {
            TRY(client->reconnect());
            try_again = BootClock::now() + limits::kEnrolRetry;
            asked = false;
        }
        if (!asked) asked = client->send(ask).has_value();
        TRY(loop->turn(std::chrono::milliseconds(20)));
    }
    return *reply;
}

}  // namespace penumbra::zmq
