#include "proto/zmq/server.hpp"

#include <zmq.h>

#include "base/limits/coordinator.hpp"
#include "base/limits/sockets.hpp"
#include "proto/zmq/socket.hpp"

namespace penumbra::zmq {

FleetServer::FleetServer(Gate& gate, Options options, std::unique_ptr<LoopSocket> socket)
    : gate_(gate), options_(std::move(options)), socket_(std::move(socket)) {}
FleetServer::~FleetServer() = default;

Result<std::unique_ptr<FleetServer>> FleetServer::create(EventLoop& loop, Gate& gate, const keys::KeyPair& keys,
                                                         Options options) {
    auto socket = TRY(LoopSocket::create(loop, gate.context(), ZMQ_ROUTER));
    TRY(set_common(*socket, keys, options.message_bytes_max));
    TRY(socket->set(ZMQ_CURVE_SERVER, 1));
    TRY(socket->set(ZMQ_ZAP_DOMAIN, options.domain));
    // Without this, Debian's libzmq 4.3.4 admits everybody when nobody answers ZAP (measured; the option is hidden
    // behind DRAFT in the header, its number works).
    constexpr int kZapEnforceDomain = 93;
    TRY(socket->set(kZapEnforceDomain, 1));
    TRY(socket->set(ZMQ_BACKLOG, 4096));
    TRY(socket->set(ZMQ_ROUTER_MANDATORY, 1));
    TRY(socket->set(ZMQ_ROUTER_HANDOVER, 0));
    TRY(socket->set(ZMQ_TCP_MAXRT, 20'000));
    TRY(socket->bind(options.endpoint));
    auto server = std::unique_ptr<FleetServer>(new FleetServer(gate, std::move(options), std::move(socket)));
    FleetServer* self = server.get();
    self->watchdog_ = TRY(loop.every(std::chrono::seconds(1), [self] { self->watch_gate(); }));
    TRY(self->socket_->listen(2, [self](std::vector<LoopSocket::Frame> frames) {
        if (frames.size() != 2) {
            ++self->dropped_;
            return;
        }
        self->hear(frames[0].bytes, frames[1].user_id, frames[1].bytes);
    }));
    return server;
}

// A process that was stopped and goes on has slept as well as the thread: only a thread that does not move in several
// of our own turns is dead.
void FleetServer::watch_gate() {
    const std::uint64_t turns = gate_.turns();
    gate_stood_ = turns == gate_turns_ ? gate_stood_ + 1 : 0;
    gate_turns_ = turns;
    ASSERT(gate_stood_ < limits::kGateStandsMax);
}

void FleetServer::hear(const std::string& routing_id, const std::string& user_id, std::string_view bytes) {
    const Result<keys::PublicKey> peer = keys::PublicKey::parse(user_id);
    // libzmq cannot cut one peer of a ROUTER: one whose key was taken back is not heard.
    if (!peer.has_value() || !gate_.admits(options_.domain, *peer)) {
        ++dropped_;
        if (peer.has_value()) routes_.erase(*peer);
        return;
    }
    if (!routes_.contains(*peer) && routes_.size() >= limits::kHostsMax) {
        ++dropped_;
        return;
    }
    routes_[*peer] = routing_id;
    if (heard_) heard_(*peer, bytes);
}

Result<void> FleetServer::send(const keys::PublicKey& peer, std::string_view bytes) {
    const auto route = routes_.find(peer);
    if (route == routes_.end() || !gate_.admits(options_.domain, peer)) {
        return fail(ErrorCode::kUnavailable, "the peer is not connected");
    }
    Result<void> sent = socket_->send({route->second, bytes});
    if (!sent.has_value() && sent.error().code == ErrorCode::kUnavailable) routes_.erase(route);
    return sent;
}

std::string FleetServer::endpoint() const {
    return socket_->endpoint();
}

}  // namespace penumbra::zmq
