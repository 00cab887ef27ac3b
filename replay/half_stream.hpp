#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "packet/bytes.hpp"

namespace penumbra::replay {

/// One direction of a TCP connection put in order (RFC 9293): wrapping sequence numbers, retransmission, overlap (the
/// bytes seen first win), segments out of order in a bounded buffer. Bytes that never came are a gap, never a guess: it
/// is declared when the peer acknowledges past the hole or when the buffer is full. Thread-bound; pure.
class HalfStream {
 public:
    enum class Kind : unsigned char {
        kData,
        kGap,  ///< `gap_bytes` are missing here
        kEnd,  ///< the peer's FIN, after everything before it
    };
    struct Piece {
        Kind kind = Kind::kData;
        packet::ByteView bytes;  ///< of kData; valid until the next call
        std::uint64_t gap_bytes = 0;
    };

    /// The SYN was seen: the first byte has the number behind it.
    void start(std::uint32_t syn_sequence);
    [[nodiscard]] bool started() const noexcept { return started_; }
    /// Nothing was delivered yet and this is the SYN it began with.
    [[nodiscard]] bool is_same_start(std::uint32_t syn_sequence) const;

    /// One segment; without a SYN before it, the stream begins here. `payload` must outlive the take() calls after it.
    void accept(std::uint32_t sequence, packet::ByteView payload);
    /// A FIN behind `sequence` + payload.
    void finish(std::uint32_t sequence_after_payload);
    /// The other side has confirmed everything before `acknowledgement`.
    void acknowledged(std::uint32_t acknowledgement);

    /// What has become readable, piece by piece; nothing when the next byte is not here yet.
    [[nodiscard]] std::optional<Piece> take();

    [[nodiscard]] std::size_t buffered_bytes() const noexcept { return buffered_bytes_; }

 private:
    [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint32_t sequence) const;
    void buffer(std::uint64_t offset, packet::ByteView payload);
    [[nodiscard]] bool over_limit() const;

    // Offsets are sequence numbers unwrapped to 64 bits, so that they compare by <.
    bool started_ = false;
    std::uint64_t next_ = 0;
    std::uint64_t start_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::optional<std::uint64_t> end_;
    bool end_taken_ = false;
    packet::ByteView direct_;
    packet::Buffer taken_;
    std::map<std::uint64_t, packet::Buffer> buffered_;
    std::size_t buffered_bytes_ = 0;
};

}  // namespace penumbra::replay
