#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "proto/zmq/context.hpp"

namespace penumbra::zmq {

/// One libzmq socket in our loop. ZMQ_FD tells of edges only, and every send or receive may eat one: so ZMQ_EVENTS is
/// asked again after each turn, and a turn that left messages waiting posts the next one. At most kLinkDrainMax
/// messages a turn. Thread-bound. Internal to proto/zmq.
class LoopSocket {
 public:
    /// A frame, and the ZAP User-Id of the connection it came by; only payload frames carry one (libzmq 4.3.4).
    struct Frame {
        std::string bytes;
        std::string user_id;
    };

    [[nodiscard]] static Result<std::unique_ptr<LoopSocket>> create(EventLoop& loop, void* context, int type);
    LoopSocket(const LoopSocket&) = delete;
    LoopSocket& operator=(const LoopSocket&) = delete;
    LoopSocket(LoopSocket&&) = delete;
    LoopSocket& operator=(LoopSocket&&) = delete;
    ~LoopSocket();

    [[nodiscard]] Result<void> set(int option, int value);
    [[nodiscard]] Result<void> set(int option, std::string_view value);
    [[nodiscard]] Result<void> set_size(int option, std::int64_t value);
    [[nodiscard]] Result<void> bind(const std::string& endpoint);
    [[nodiscard]] Result<void> connect(const std::string& endpoint);
    /// Where a bind to port 0 ended up.
    [[nodiscard]] std::string endpoint() const;

    /// Starts hearing: `heard` gets the frames of each message; more than `frames_max` are drained and not kept, and
    /// `heard` gets none.
    [[nodiscard]] Result<void> listen(std::size_t frames_max, std::function<void(std::vector<Frame>)> heard);
    /// Never waits; kResourceExhausted on EAGAIN, kUnavailable on EHOSTUNREACH.
    [[nodiscard]] Result<void> send(const std::vector<std::string_view>& frames);

 private:
    LoopSocket(EventLoop& loop, SocketHandle socket) : loop_(loop), socket_(std::move(socket)) {}
    void drain();
    void turn_later();
    [[nodiscard]] bool readable();
    [[nodiscard]] std::optional<std::vector<Frame>> receive();

    EventLoop& loop_;
    SocketHandle socket_;
    std::function<void(std::vector<Frame>)> heard_;
    std::size_t frames_max_ = 0;
    std::shared_ptr<bool> turn_posted_ = std::make_shared<bool>(false);
    EventLoop::Source source_;
};

/// CURVE, sizes, heartbeats and high-water marks that both ends share.
[[nodiscard]] Result<void> set_common(LoopSocket& socket, const keys::KeyPair& keys, std::int64_t message_bytes_max);

}  // namespace penumbra::zmq
