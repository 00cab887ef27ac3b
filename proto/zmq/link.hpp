#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "proto/keys.hpp"

namespace penumbra::zmq {

/// Port: the coordinator's end of the fleet link. A peer is its key, never what it says of itself. Thread-bound.
class ServerLink {
 public:
    using Heard = std::function<void(const keys::PublicKey& peer, std::string_view bytes)>;

    ServerLink() = default;
    ServerLink(const ServerLink&) = delete;
    ServerLink& operator=(const ServerLink&) = delete;
    ServerLink(ServerLink&&) = delete;
    ServerLink& operator=(ServerLink&&) = delete;
    virtual ~ServerLink() = default;

    /// Who hears what comes in, from the loop; before the first turn.
    virtual void on_message(Heard heard) = 0;
    /// One message to a peer that was heard before. Never waits. kUnavailable: it is gone; kResourceExhausted: it does
    /// not read, ask again later. That it was taken promises nothing about its arrival.
    [[nodiscard]] virtual Result<void> send(const keys::PublicKey& peer, std::string_view bytes) = 0;
};

/// Port: an agent's end. It connects, and after reconnect() connects anew; it has no session of its own. Thread-bound.
class ClientLink {
 public:
    using Heard = std::function<void(std::string_view bytes)>;

    ClientLink() = default;
    ClientLink(const ClientLink&) = delete;
    ClientLink& operator=(const ClientLink&) = delete;
    ClientLink(ClientLink&&) = delete;
    ClientLink& operator=(ClientLink&&) = delete;
    virtual ~ClientLink() = default;

    virtual void on_message(Heard heard) = 0;
    /// Never waits. kUnavailable: not connected; kResourceExhausted: the coordinator does not read.
    [[nodiscard]] virtual Result<void> send(std::string_view bytes) = 0;
    /// Drops the connection and everything on its way, and makes a new one. The caller spreads such calls in time.
    [[nodiscard]] virtual Result<void> reconnect() = 0;
};

}  // namespace penumbra::zmq
