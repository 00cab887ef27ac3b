#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/limits/traffic.hpp"
#include "packet/segment.hpp"
#include "replay/conversation.hpp"
#include "replay/exchange.hpp"
#include "replay/half_stream.hpp"

namespace penumbra::replay {

/// From the segments of a wire to the exchanges with a group's servers. Both directions of every connection, joined
/// under way or at the SYN; at most `connections_max`, the one idle for longest evicted and counted. Thread-bound;
/// pure.
class Reassembly {
 public:
    struct Options {
        std::vector<packet::Endpoint> servers;  ///< the group's; everything else is not looked at
        std::size_t connections_max = limits::kConnectionsMax;
    };
    struct Counters {
        std::uint64_t segments = 0;        ///< of the group
        std::uint64_t other_segments = 0;  ///< of somebody else
        std::uint64_t connections = 0;
        std::uint64_t joined_under_way = 0;
        std::uint64_t evicted = 0;
        std::uint64_t gaps = 0;
        std::uint64_t opaque = 0;  ///< connections that ended unframed
    };

    Reassembly(Options options, ExchangeSink& sink);

    void segment(const packet::TcpSegment& segment, Instant at);
    /// Ends what has been idle for `idle_max`; called now and then.
    void expire(Instant now, std::chrono::nanoseconds idle_max);
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

 private:
    struct Key {
        packet::Endpoint client;
        packet::Endpoint server;
        std::uint16_t vlan = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Connection {
        Key key;
        Conversation conversation;
        HalfStream client;
        HalfStream server;
        bool client_ended = false;
        bool server_ended = false;
        ExchangeEnd ended_first = ExchangeEnd::kServerClosed;
        Instant last{};
    };
    using Connections = std::list<Connection>;  // the one idle for longest last
    enum class From : unsigned char { kClient, kServer, kNobody };

    [[nodiscard]] From direction(const packet::TcpSegment& segment) const;
    Connections::iterator find_or_open(const Key& key, const packet::TcpSegment& segment, From from, Instant at);
    Connections::iterator open(const Key& key, Conversation::Joined joined);
    void feed(Connection& connection, const packet::TcpSegment& segment, From from, Instant at);
    void drain_client(Connection& connection, Instant at);
    void drain_server(Connection& connection, Instant at);
    void end(Connections::iterator connection, ExchangeEnd by, Instant at);
    void evict_oldest(Instant at);
    void forget(Connections::iterator connection);
    void remember_closed(const Key& key);

    Options options_;
    ExchangeSink& sink_;
    Connections connections_;
    std::unordered_map<Key, Connections::iterator, KeyHash> by_key_;
    // Closed a moment ago: what the wire repeats of them is not a connection under way.
    std::unordered_set<Key, KeyHash> closed_;
    std::deque<Key> closed_in_order_;
    std::uint64_t next_connection_ = 1;
    Counters counters_;
};

}  // namespace penumbra::replay
