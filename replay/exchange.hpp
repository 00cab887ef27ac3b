#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::replay {

/// How production's exchange ended.
enum class ExchangeEnd : unsigned char {
    kAnswered,      ///< the response was whole
    kServerClosed,  ///< FIN or RST from the server before the whole response
    kClientClosed,  ///< the client gave up waiting
};

/// One request with its response and the times at the vantage that saw them (first and last byte of each).
struct Exchange {
    std::uint64_t connection = 0;  ///< number of the connection at this vantage; never used twice in a process's life
    std::uint32_t ordinal = 0;     ///< place of the exchange in its connection, from 0
    packet::Endpoint client;
    packet::Endpoint server;
    Instant request_begin{};
    Instant request_end{};
    Instant response_begin{};  ///< of kAnswered
    Instant response_end{};    ///< of kAnswered; else when it ended
    ExchangeEnd end = ExchangeEnd::kAnswered;
    std::uint16_t status = 0;          ///< of kAnswered
    std::uint64_t response_bytes = 0;  ///< as far as they were seen, head included
    packet::Buffer request;            ///< head and body as they stood on the wire

    /// What a user would call an error: 5xx, or the server closing instead of answering.
    [[nodiscard]] bool is_error() const noexcept {
        return end == ExchangeEnd::kServerClosed || (end == ExchangeEnd::kAnswered && status >= 500);
    }
    friend bool operator==(const Exchange&, const Exchange&) = default;
};

/// Why an exchange that was seen cannot be handed on whole. Counted, never guessed.
enum class CaptureLoss : unsigned char {
    kGap,          ///< bytes are missing: the ring was full or the mirror dropped
    kEvicted,      ///< too many connections at once: the one idle for longest made room
    kUnsupported,  ///< longer than kExchangeRequestBytesMax, or not HTTP/1.1 as RFC 9112 has it
};

/// Where a connection's exchanges go, in the order in which they end.
class ExchangeSink {
 public:
    ExchangeSink() = default;
    ExchangeSink(const ExchangeSink&) = delete;
    ExchangeSink& operator=(const ExchangeSink&) = delete;
    ExchangeSink(ExchangeSink&&) = delete;
    ExchangeSink& operator=(ExchangeSink&&) = delete;
    virtual ~ExchangeSink() = default;
    virtual void exchange(Exchange exchange) = 0;
    /// One exchange of `client` that was begun and is lost.
    virtual void lost(const packet::Endpoint& client, CaptureLoss why) = 0;
    /// No more exchanges of this connection will come.
    virtual void connection_ended(std::uint64_t connection, Instant when) = 0;
};

}  // namespace penumbra::replay
