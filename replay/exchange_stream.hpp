#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/result.hpp"
#include "packet/bytes.hpp"
#include "replay/exchange.hpp"

namespace penumbra::replay {

/// The connection carries no more exchanges.
struct ConnectionEnd {
    std::uint64_t connection = 0;
    Instant when{};
    friend bool operator==(const ConnectionEnd&, const ConnectionEnd&) = default;
};

/// Exchanges that were admitted and did not come this way, since the last tally.
struct Tally {
    std::uint64_t capture_drop = 0;
    std::uint64_t spool_full = 0;
    friend bool operator==(const Tally&, const Tally&) = default;
};

using StreamRecord = std::variant<Exchange, ConnectionEnd, Tally>;

/// One record as it crosses from the capture to a sandbox: length (u32), kind (u8), fields, all big-endian.
[[nodiscard]] packet::Buffer encode(const StreamRecord& record);

/// Takes the stream apart again, whatever its pieces. Holds at most kExchangeRecordBytesMax. A record that is longer,
/// of another kind or not of its own length is kInvalidArgument, and the stream is then of no use. Pure.
class StreamDecoder {
 public:
    void feed(packet::ByteView bytes);
    [[nodiscard]] Result<std::optional<StreamRecord>> next();

 private:
    packet::Buffer pending_;
    std::size_t read_ = 0;  // of pending_
};

}  // namespace penumbra::replay
