#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.hpp"
#include "packet/address.hpp"
#include "packet/bytes.hpp"
#include "replay/exchange.hpp"
#include "replay/framer/http1.hpp"

namespace penumbra::replay {

/// Pairs the requests and responses of one HTTP/1.1 connection, pipelined ones included, and hands each exchange on as
/// it ends. Joins a connection under way, and one with a gap, at the next request line that begins a client's turn.
/// What it cannot frame (an upgrade, TLS, two readings of one head) stays opaque to the end of the connection.
/// Thread-bound; pure; keeps at most kPipelinedRequestsMax requests of kExchangeRequestBytesMax.
class Conversation {
 public:
    struct Identity {
        std::uint64_t connection = 0;
        packet::Endpoint client;
        packet::Endpoint server;
    };
    enum class Joined : unsigned char { kAtStart, kUnderWay };

    Conversation(Identity identity, Joined joined, ExchangeSink& sink);

    void client_data(packet::ByteView bytes, Instant at);
    void server_data(packet::ByteView bytes, Instant at);
    void client_gap();
    void server_gap();
    void server_end(Instant at);  ///< FIN after everything before it
    /// The connection is over: both ends are closed, or one has reset it.
    void closed(ExchangeEnd by, Instant at);
    void evicted(Instant at);

    [[nodiscard]] bool opaque() const noexcept { return sync_ == Sync::kOpaque; }

 private:
    enum class Sync : unsigned char { kWaiting, kSynchronised, kOpaque };
    struct Open {
        Exchange exchange;
        std::string method;
        bool request_whole = false;
        bool too_long = false;
    };

    [[nodiscard]] bool begins_turn(packet::ByteView bytes);
    void begin_request(Instant at);
    void take_request(packet::ByteView consumed, framer::Http1Framer::Status status, Instant at);
    void take_response(packet::ByteView consumed, framer::Http1Framer::Status status, Instant at);
    void answered(Instant at);
    void end_front(ExchangeEnd end, Instant at);
    void lose_all(CaptureLoss why);
    void refuse();
    void gap();

    Identity identity_;
    ExchangeSink& sink_;
    Sync sync_;
    bool server_spoke_;  // since the client's last bytes: the client's next ones begin a turn
    framer::Http1Framer request_{framer::Http1Framer::Role::kRequest};
    framer::Http1Framer response_{framer::Http1Framer::Role::kResponse};
    bool until_close_ = false;
    std::deque<Open> open_;
    std::uint32_t next_ordinal_ = 0;
};

}  // namespace penumbra::replay
