#include "proto/zmq/client.hpp"

#include <zmq.h>

#include "proto/zmq/socket.hpp"

namespace penumbra::zmq {

FleetClient::FleetClient(EventLoop& loop, keys::KeyPair keys, Options options)
    : loop_(loop), keys_(std::move(keys)), options_(std::move(options)), context_(zmq_ctx_new()) {}

FleetClient::~FleetClient() = default;

Result<std::unique_ptr<FleetClient>> FleetClient::create(EventLoop& loop, keys::KeyPair keys, Options options) {
    auto client = std::unique_ptr<FleetClient>(new FleetClient(loop, std::move(keys), std::move(options)));
    TRY(client->reconnect());
    return client;
}

Result<void> FleetClient::reconnect() {
    auto socket = TRY(LoopSocket::create(loop_, context_.get(), ZMQ_DEALER));
    TRY(set_common(*socket, keys_, options_.message_bytes_max));
    // Not ZMQ_IMMEDIATE: a Hello is said right after reconnect(), before the handshake is done, and waits in the socket
    // until then. What a dead connection did not take goes with its socket.
    TRY(socket->set(ZMQ_RECONNECT_IVL, -1));
    TRY(socket->set(ZMQ_CURVE_SERVERKEY, options_.server_key.z85()));
    TRY(socket->set(ZMQ_CURVE_PUBLICKEY, keys_.public_key().z85()));
    TRY(socket->connect(options_.endpoint));
    TRY(socket->listen(1, [this](const std::vector<LoopSocket::Frame>& frames) {
        if (frames.size() == 1 && heard_) heard_(frames[0].bytes);
    }));
    socket_ = std::move(socket);
    return {};
}

Result<void> FleetClient::send(std::string_view bytes) {
    return socket_->send({bytes});
}

}  // namespace penumbra::zmq
