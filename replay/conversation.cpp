#include "replay/conversation.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/limits/traffic.hpp"

namespace penumbra::replay {

using framer::Http1Framer;

Conversation::Conversation(Identity identity, Joined joined, ExchangeSink& sink)
    : identity_(identity),
      sink_(sink),
      sync_(joined == Joined::kAtStart ? Sync::kSynchronised : Sync::kWaiting),
      // The first bytes seen of a connection that was idle when it was joined begin a turn, if they read as a request.
      server_spoke_(joined == Joined::kUnderWay) {}

namespace {
// No method of RFC 9110 and RFC 5789 is the tail of another one: a line cut at its front does not pass for a whole one.
constexpr std::array<std::string_view, 8> kMethods = {"GET",    "HEAD",    "POST",  "PUT",
                                                      "DELETE", "OPTIONS", "TRACE", "PATCH"};
}  // namespace

/// A whole request line at the front of a client's turn. Anything less is not a boundary: waiting loses little,
/// guessing would send the middle of a body as a request.
bool Conversation::begins_turn(packet::ByteView bytes) {
    if (!std::exchange(server_spoke_, false)) return false;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t line_end = text.find("\r\n");
    framer::Http1Head head;
    return line_end != std::string_view::npos &&
           framer::read_request_head(text.substr(0, line_end), head) == framer::HeadVerdict::kGood &&
           std::ranges::find(kMethods, head.method) != kMethods.end();
}

void Conversation::client_data(packet::ByteView bytes, Instant at) {
    if (sync_ == Sync::kWaiting && begins_turn(bytes)) {
        sync_ = Sync::kSynchronised;
        request_ = Http1Framer(Http1Framer::Role::kRequest);
        response_ = Http1Framer(Http1Framer::Role::kResponse);
    }
    while (!bytes.empty() && sync_ == Sync::kSynchronised) {
        if (request_.idle()) {
            // RFC 9112 section 2.2: empty lines before a request line are not a request.
            if (bytes.front() == std::byte{'\r'} || bytes.front() == std::byte{'\n'}) {
                bytes = bytes.subspan(1);
                continue;
            }
            if (open_.size() == limits::kPipelinedRequestsMax) return refuse();
            begin_request(at);
        }
        const auto [consumed, status] = request_.feed(bytes);
        take_request(bytes.first(consumed), status, at);
        bytes = bytes.subspan(consumed);
    }
}

void Conversation::begin_request(Instant at) {
    open_.push_back({.exchange = {.connection = identity_.connection,
                                  .ordinal = next_ordinal_++,
                                  .client = identity_.client,
                                  .server = identity_.server,
                                  .request_begin = at}});
}

void Conversation::take_request(packet::ByteView consumed, Http1Framer::Status status, Instant at) {
    if (status == Http1Framer::Status::kMalformed) return refuse();
    Open& open = open_.back();
    if (open.exchange.request.size() + consumed.size() > limits::kExchangeRequestBytesMax) {
        open.too_long = true;
        open.exchange.request = {};
    }
    if (!open.too_long) packet::append(open.exchange.request, consumed);
    if (status == Http1Framer::Status::kHeadDone || status == Http1Framer::Status::kComplete) {
        open.method = request_.head().method;
    }
    if (status == Http1Framer::Status::kComplete) {
        open.request_whole = true;
        open.exchange.request_end = at;
    }
}

void Conversation::server_data(packet::ByteView bytes, Instant at) {
    server_spoke_ = true;
    while (!bytes.empty() && sync_ == Sync::kSynchronised) {
        if (open_.empty()) {
            // Nobody asked (a 408 before closing): whatever it is, it is no answer to an exchange.
            sync_ = Sync::kWaiting;
            return;
        }
        if (response_.idle()) {
            response_.answer_to(open_.front().method);
            open_.front().exchange.response_begin = at;
        }
        const auto [consumed, status] = response_.feed(bytes);
        take_response(bytes.first(consumed), status, at);
        bytes = bytes.subspan(consumed);
    }
}

void Conversation::take_response(packet::ByteView consumed, Http1Framer::Status status, Instant at) {
    if (status == Http1Framer::Status::kMalformed) return refuse();
    Exchange& exchange = open_.front().exchange;
    exchange.response_bytes += consumed.size();
    exchange.response_end = at;
    const bool head_known = status == Http1Framer::Status::kHeadDone || status == Http1Framer::Status::kComplete;
    if (head_known) exchange.status = response_.head().status;
    const bool tunnel = exchange.status == 101 || (open_.front().method == "CONNECT" && exchange.status / 100 == 2);
    if (tunnel) return refuse();
    until_close_ =
        status == Http1Framer::Status::kUntilClose ||
        (status == Http1Framer::Status::kHeadDone && !response_.head().chunked && !response_.head().has_length);
    // 1xx is a word on the way (100-continue, early hints); the answer is still to come.
    if (status == Http1Framer::Status::kComplete && exchange.status >= 200) answered(at);
}

void Conversation::answered(Instant at) {
    // An answer to a request that is not whole (413, 400): what still comes of it cannot be told from the next one.
    if (!open_.front().request_whole) return refuse();
    end_front(ExchangeEnd::kAnswered, at);
}

void Conversation::end_front(ExchangeEnd end, Instant at) {
    Open open = std::move(open_.front());
    open_.pop_front();
    until_close_ = false;
    open.exchange.end = end;
    open.exchange.response_end = at;
    if (end != ExchangeEnd::kAnswered) open.exchange.status = 0;
    if (open.too_long) {
        sink_.lost(identity_.client, CaptureLoss::kUnsupported);
    } else {
        sink_.exchange(std::move(open.exchange));
    }
}

void Conversation::lose_all(CaptureLoss why) {
    for (std::size_t i = 0; i < open_.size(); ++i)
        sink_.lost(identity_.client, why);
    open_.clear();
    until_close_ = false;
}

void Conversation::refuse() {
    lose_all(CaptureLoss::kUnsupported);
    sync_ = Sync::kOpaque;
}

void Conversation::gap() {
    if (sync_ != Sync::kSynchronised) return;
    // With nothing open the missing bytes were at least one exchange's.
    if (open_.empty()) sink_.lost(identity_.client, CaptureLoss::kGap);
    lose_all(CaptureLoss::kGap);
    sync_ = Sync::kWaiting;
    server_spoke_ = false;
}

void Conversation::client_gap() {
    server_spoke_ = false;
    gap();
}

void Conversation::server_gap() {
    gap();
}

void Conversation::server_end(Instant at) {
    if (sync_ == Sync::kSynchronised && until_close_ && open_.front().request_whole) {
        end_front(ExchangeEnd::kAnswered, at);
    }
}

void Conversation::closed(ExchangeEnd by, Instant at) {
    // A request that never became whole was nobody's exchange: the client did not ask.
    while (!open_.empty() && open_.front().request_whole)
        end_front(by, at);
    open_.clear();
    sync_ = Sync::kOpaque;
    sink_.connection_ended(identity_.connection, at);
}

void Conversation::evicted(Instant at) {
    lose_all(CaptureLoss::kEvicted);
    closed(ExchangeEnd::kClientClosed, at);
}

}  // namespace penumbra::replay
