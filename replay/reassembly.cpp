#include "replay/reassembly.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits/traffic.hpp"
#include "packet/transport.hpp"

namespace penumbra::replay {

using packet::TcpSegment;
namespace tcp_flag = packet::tcp_flag;

Reassembly::Reassembly(Options options, ExchangeSink& sink) : options_(std::move(options)), sink_(sink) {}

std::size_t Reassembly::KeyHash::operator()(const Key& key) const noexcept {
    const std::hash<packet::Endpoint> hash;
    return hash(key.client) * 31 + hash(key.server) + key.vlan;
}

Reassembly::From Reassembly::direction(const TcpSegment& segment) const {
    if (std::ranges::find(options_.servers, segment.destination) != options_.servers.end()) return From::kClient;
    if (std::ranges::find(options_.servers, segment.source) != options_.servers.end()) return From::kServer;
    return From::kNobody;
}

void Reassembly::segment(const TcpSegment& segment, Instant at) {
    const From from = direction(segment);
    if (from == From::kNobody) {
        ++counters_.other_segments;
        return;
    }
    ++counters_.segments;
    const bool client = from == From::kClient;
    const Key key{.client = client ? segment.source : segment.destination,
                  .server = client ? segment.destination : segment.source,
                  .vlan = segment.vlan};
    const auto connection = find_or_open(key, segment, from, at);
    if (connection == connections_.end()) return;
    connection->last = at;
    feed(*connection, segment, from, at);
    if (segment.has(tcp_flag::kRst)) {
        end(connection, client ? ExchangeEnd::kClientClosed : ExchangeEnd::kServerClosed, at);
    } else if (connection->client_ended && connection->server_ended) {
        end(connection, connection->ended_first, at);
    }
}

Reassembly::Connections::iterator Reassembly::find_or_open(const Key& key, const TcpSegment& segment, From from,
                                                           Instant at) {
    const bool opening = from == From::kClient && segment.has(tcp_flag::kSyn) && !segment.has(tcp_flag::kAck);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
        const auto connection = found->second;
        if (!opening || connection->client.is_same_start(segment.sequence)) {
            connections_.splice(connections_.begin(), connections_, connection);
            return connection;
        }
        end(connection, ExchangeEnd::kClientClosed, at);  // the ports are used again: we missed how it ended
    }
    // An acknowledgement or a farewell of a connection that carried nothing since we look is not worth a place.
    if (!opening && (segment.payload.empty() || segment.has(tcp_flag::kRst))) return connections_.end();
    if (opening) closed_.erase(key);
    if (closed_.contains(key)) return connections_.end();
    if (connections_.size() >= options_.connections_max) evict_oldest(at);
    return open(key, opening ? Conversation::Joined::kAtStart : Conversation::Joined::kUnderWay);
}

Reassembly::Connections::iterator Reassembly::open(const Key& key, Conversation::Joined joined) {
    ++counters_.connections;
    if (joined == Conversation::Joined::kUnderWay) ++counters_.joined_under_way;
    const Conversation::Identity identity{.connection = next_connection_++, .client = key.client, .server = key.server};
    connections_.push_front({.key = key, .conversation = Conversation(identity, joined, sink_)});
    by_key_.emplace(key, connections_.begin());
    return connections_.begin();
}

void Reassembly::feed(Connection& connection, const TcpSegment& segment, From from, Instant at) {
    HalfStream& own = from == From::kClient ? connection.client : connection.server;
    HalfStream& peer = from == From::kClient ? connection.server : connection.client;
    std::uint32_t sequence = segment.sequence;
    if (segment.has(tcp_flag::kSyn)) {
        if (!own.started()) own.start(sequence);
        ++sequence;
    }
    // What the sender confirms came before what it says.
    if (segment.has(tcp_flag::kAck)) {
        peer.acknowledged(segment.acknowledgement);
        if (from == From::kClient) drain_server(connection, at);
        if (from == From::kServer) drain_client(connection, at);
    }
    own.accept(sequence, segment.payload);
    if (segment.has(tcp_flag::kFin)) own.finish(sequence + static_cast<std::uint32_t>(segment.payload.size()));
    if (from == From::kClient) drain_client(connection, at);
    if (from == From::kServer) drain_server(connection, at);
}

void Reassembly::drain_client(Connection& connection, Instant at) {
    while (const auto piece = connection.client.take()) {
        if (piece->kind == HalfStream::Kind::kData) connection.conversation.client_data(piece->bytes, at);
        if (piece->kind == HalfStream::Kind::kEnd) {
            connection.client_ended = true;
            if (!connection.server_ended) connection.ended_first = ExchangeEnd::kClientClosed;
        }
        if (piece->kind == HalfStream::Kind::kGap) {
            ++counters_.gaps;
            connection.conversation.client_gap();
        }
    }
}

void Reassembly::drain_server(Connection& connection, Instant at) {
    while (const auto piece = connection.server.take()) {
        if (piece->kind == HalfStream::Kind::kData) connection.conversation.server_data(piece->bytes, at);
        if (piece->kind == HalfStream::Kind::kEnd) {
            connection.server_ended = true;
            connection.conversation.server_end(at);
        }
        if (piece->kind == HalfStream::Kind::kGap) {
            ++counters_.gaps;
            connection.conversation.server_gap();
        }
    }
}

void Reassembly::end(Connections::iterator connection, ExchangeEnd by, Instant at) {
    if (connection->conversation.opaque()) ++counters_.opaque;
    connection->conversation.closed(by, at);
    remember_closed(connection->key);
    forget(connection);
}

void Reassembly::remember_closed(const Key& key) {
    if (closed_in_order_.size() == limits::kClosedConnectionsMax) {
        closed_.erase(closed_in_order_.front());
        closed_in_order_.pop_front();
    }
    closed_.insert(key);
    closed_in_order_.push_back(key);
}

void Reassembly::evict_oldest(Instant at) {
    ++counters_.evicted;
    const auto oldest = std::prev(connections_.end());
    oldest->conversation.evicted(at);
    forget(oldest);
}

void Reassembly::forget(Connections::iterator connection) {
    by_key_.erase(connection->key);
    connections_.erase(connection);
}

void Reassembly::expire(Instant now, std::chrono::nanoseconds idle_max) {
    while (!connections_.empty() && now - connections_.back().last > idle_max)
        evict_oldest(now);
}

}  // namespace penumbra::replay
