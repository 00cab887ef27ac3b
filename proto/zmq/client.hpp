#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/event_loop.hpp"
#include "proto/zmq/context.hpp"
#include "proto/zmq/link.hpp"

namespace penumbra::zmq {

class LoopSocket;

/// The DEALER of design D15: one agent's connection. libzmq does not reconnect by itself (its jitter is 100 ms: a
/// storm); whoever owns this calls reconnect() at a time of its own. Only a coordinator that holds the secret half of
/// `server_key` can speak to it. Thread-bound.
class FleetClient final : public ClientLink {
 public:
    struct Options {
        std::string endpoint;  ///< "tcp://ctl:7701"
        keys::PublicKey server_key;
        std::int64_t message_bytes_max = 1024 * 1024;
    };
    [[nodiscard]] static Result<std::unique_ptr<FleetClient>> create(EventLoop& loop, keys::KeyPair keys,
                                                                     Options options);
    FleetClient(const FleetClient&) = delete;
    FleetClient& operator=(const FleetClient&) = delete;
    FleetClient(FleetClient&&) = delete;
    FleetClient& operator=(FleetClient&&) = delete;
    ~FleetClient() override;

    void on_message(Heard heard) override { heard_ = std::move(heard); }
    [[nodiscard]] Result<void> send(std::string_view bytes) override;
    [[nodiscard]] Result<void> reconnect() override;

 private:
    FleetClient(EventLoop& loop, keys::KeyPair keys, Options options);

    EventLoop& loop_;
    const keys::KeyPair keys_;
    const Options options_;
    ContextHandle context_;
    std::unique_ptr<LoopSocket> socket_;
    Heard heard_;
};

}  // namespace penumbra::zmq
