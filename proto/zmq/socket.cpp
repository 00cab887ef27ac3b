#include "proto/zmq/socket.hpp"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <zmq.h>

#include "base/limits/link.hpp"
#include "base/limits/sockets.hpp"

namespace penumbra::zmq {

namespace {
tl::unexpected<Error> fail_zmq(std::string_view what) {
    const int error = zmq_errno();
    const ErrorCode code = error == EADDRINUSE ? ErrorCode::kConflict : ErrorCode::kUnavailable;
    return fail(code, fmt::format("{}: {}", what, zmq_strerror(error)));
}
}  // namespace

Result<std::unique_ptr<LoopSocket>> LoopSocket::create(EventLoop& loop, void* context, int type) {
    SocketHandle socket(zmq_socket(context, type));
    if (socket == nullptr) return fail_zmq("making a socket of the fleet link");
    return std::unique_ptr<LoopSocket>(new LoopSocket(loop, std::move(socket)));
}

LoopSocket::~LoopSocket() {
    *turn_posted_ = false;
}

Result<void> LoopSocket::set(int option, int value) {
    if (zmq_setsockopt(socket_.get(), option, &value, sizeof value) != 0) {
        return fail_zmq(fmt::format("setting option {} of the fleet link", option));
    }
    return {};
}

Result<void> LoopSocket::set(int option, std::string_view value) {
    if (zmq_setsockopt(socket_.get(), option, value.data(), value.size()) != 0) {
        return fail_zmq(fmt::format("setting option {} of the fleet link", option));
    }
    return {};
}

Result<void> LoopSocket::set_size(int option, std::int64_t value) {
    if (zmq_setsockopt(socket_.get(), option, &value, sizeof value) != 0) {
        return fail_zmq(fmt::format("setting option {} of the fleet link", option));
    }
    return {};
}

Result<void> LoopSocket::bind(const std::string& endpoint) {
    if (zmq_bind(socket_.get(), endpoint.c_str()) != 0) return fail_zmq(fmt::format("listening on {}", endpoint));
    return {};
}

Result<void> LoopSocket::connect(const std::string& endpoint) {
    if (zmq_connect(socket_.get(), endpoint.c_str()) != 0) return fail_zmq(fmt::format("connecting to {}", endpoint));
    return {};
}

std::string LoopSocket::endpoint() const {
    std::array<char, 256> text{};
    std::size_t size = text.size();
    ASSERT(zmq_getsockopt(socket_.get(), ZMQ_LAST_ENDPOINT, text.data(), &size) == 0);
    return text.data();
}

Result<void> LoopSocket::listen(std::size_t frames_max, std::function<void(std::vector<Frame>)> heard) {
    frames_max_ = frames_max;
    heard_ = std::move(heard);
    int fd = -1;
    std::size_t size = sizeof fd;
    if (zmq_getsockopt(socket_.get(), ZMQ_FD, &fd, &size) != 0) return fail_zmq("watching the fleet link");
    source_ = TRY(loop_.watch_fd(fd, EPOLLIN, [this](std::uint32_t) { drain(); }));
    if (readable()) turn_later();
    return {};
}

bool LoopSocket::readable() {
    int events = 0;
    std::size_t size = sizeof events;
    // The question itself makes libzmq look at its commands, and so clears the edge.
    return zmq_getsockopt(socket_.get(), ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

void LoopSocket::turn_later() {
    if (!heard_ || *turn_posted_) return;
    *turn_posted_ = loop_.post([this, alive = std::weak_ptr<bool>(turn_posted_)] {
        const auto posted = alive.lock();
        if (posted == nullptr) return;
        *posted = false;
        drain();
    });
}

void LoopSocket::drain() {
    const std::weak_ptr<bool> alive = turn_posted_;
    for (std::size_t count = 0; readable(); ++count) {
        if (count == limits::kLinkDrainMax) return turn_later();
        std::optional<std::vector<Frame>> frames = receive();
        if (!frames.has_value()) continue;
        heard_(std::move(*frames));
        if (alive.expired()) return;  // the listener let go of this socket
    }
}

std::optional<std::vector<LoopSocket::Frame>> LoopSocket::receive() {
    std::vector<Frame> frames;
    std::size_t count = 0;
    for (int more = 1; more != 0; ++count) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, socket_.get(), ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&message);
            return std::nullopt;
        }
        if (count < frames_max_) {
            const char* user = zmq_msg_gets(&message, "User-Id");
            frames.push_back({.bytes = {static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message)},
                              .user_id = user == nullptr ? "" : user});
        }
        more = zmq_msg_more(&message);
        zmq_msg_close(&message);
    }
    if (count > frames_max_) frames.clear();
    return frames;
}

Result<void> LoopSocket::send(const std::vector<std::string_view>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const int more = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
        if (zmq_send(socket_.get(), frames[i].data(), frames[i].size(), ZMQ_DONTWAIT | more) >= 0) continue;
        const int error = zmq_errno();
        if (error == EAGAIN) return fail(ErrorCode::kResourceExhausted, "the peer does not read: try again later");
        if (error == EHOSTUNREACH) return fail(ErrorCode::kUnavailable, "the peer is not connected");
        return fail_zmq("sending on the fleet link");
    }
    if (readable()) turn_later();
    return {};
}

Result<void> set_common(LoopSocket& socket, const keys::KeyPair& keys, std::int64_t message_bytes_max) {
    using std::chrono::milliseconds;
    const auto ms = [](auto duration) { return static_cast<int>(milliseconds(duration).count()); };
    TRY(socket.set(ZMQ_LINGER, 0));
    TRY(socket.set(ZMQ_IPV6, 1));
    TRY(socket.set_size(ZMQ_MAXMSGSIZE, message_bytes_max));
    TRY(socket.set(ZMQ_SNDHWM, limits::kLinkQueueMax));
    TRY(socket.set(ZMQ_RCVHWM, limits::kLinkQueueMax));
    TRY(socket.set(ZMQ_HANDSHAKE_IVL, ms(limits::kHandshakeTime)));
    TRY(socket.set(ZMQ_TCP_KEEPALIVE, 1));
    TRY(socket.set(ZMQ_HEARTBEAT_IVL, ms(limits::kHeartbeatInterval)));
    TRY(socket.set(ZMQ_HEARTBEAT_TIMEOUT, ms(limits::kHeartbeatInterval * limits::kHeartbeatsMissedSuspect)));
    TRY(socket.set(ZMQ_HEARTBEAT_TTL, ms(limits::kHeartbeatInterval * limits::kHeartbeatsMissedSuspect)));
    TRY(socket.set(ZMQ_CURVE_SECRETKEY,
                   std::string_view(reinterpret_cast<const char*>(keys.secret().data()), keys.secret().size())));
    return {};
}

}  // namespace penumbra::zmq
