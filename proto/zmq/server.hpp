#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/event_loop.hpp"
#include "proto/zmq/context.hpp"
#include "proto/zmq/link.hpp"

namespace penumbra::zmq {

class LoopSocket;

/// The ROUTER of design D15. CURVE always; a peer is the key that ZAP saw, read from the payload frame, and its routing
/// id is only where to answer: no peer can choose or take over another's. Exactly two frames a message; anything else
/// is dropped and counted. Ends the process when the gate's thread hangs. Thread-bound.
class FleetServer final : public ServerLink {
 public:
    struct Options {
        std::string endpoint;         ///< "tcp://*:7701"; port 0: any
        std::string domain{"fleet"};  ///< of the gate
        std::int64_t message_bytes_max = 256 * 1024;
    };
    /// Binds at once: the epoch must be committed before.
    [[nodiscard]] static Result<std::unique_ptr<FleetServer>> create(EventLoop& loop, Gate& gate,
                                                                     const keys::KeyPair& keys, Options options);
    FleetServer(const FleetServer&) = delete;
    FleetServer& operator=(const FleetServer&) = delete;
    FleetServer(FleetServer&&) = delete;
    FleetServer& operator=(FleetServer&&) = delete;
    ~FleetServer() override;

    void on_message(Heard heard) override { heard_ = std::move(heard); }
    [[nodiscard]] Result<void> send(const keys::PublicKey& peer, std::string_view bytes) override;

    /// What is known of where this peer is goes; it is heard again when it speaks again.
    void forget(const keys::PublicKey& peer) { routes_.erase(peer); }

    [[nodiscard]] std::string endpoint() const;
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
    FleetServer(Gate& gate, Options options, std::unique_ptr<LoopSocket> socket);
    void watch_gate();
    void hear(const std::string& routing_id, const std::string& user_id, std::string_view bytes);

    Gate& gate_;
    const Options options_;
    std::unique_ptr<LoopSocket> socket_;
    EventLoop::Source watchdog_;
    Heard heard_;
    std::map<keys::PublicKey, std::string> routes_;  // where a peer was heard last; bounded by the keys admitted
    std::uint64_t dropped_ = 0;
    std::uint64_t gate_turns_ = 0;
    unsigned gate_stood_ = 0;
};

}  // namespace penumbra::zmq
