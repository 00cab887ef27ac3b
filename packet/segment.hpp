#pragma once

#include <cstdint>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet {

/// One TCP segment as it crossed a wire; `payload` reaches into the frame.
struct TcpSegment {
    std::uint16_t vlan = 0;  ///< outermost tag's id; 0: untagged
    Endpoint source;
    Endpoint destination;
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgement = 0;
    std::uint8_t flags = 0;  ///< of tcp_flag
    ByteView payload;

    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

enum class FrameKind : unsigned char {
    kTcp,        ///< a whole segment
    kFragment,   ///< a part of an IP datagram that carries TCP: counted, not put together
    kOther,      ///< another protocol
    kMalformed,  ///< lengths that contradict each other
};

struct Classified {
    FrameKind kind = FrameKind::kOther;
    TcpSegment segment;  ///< of kTcp
};

/// What a frame is, for the capture: its TCP segment, or why it is none. Allocates nothing.
[[nodiscard]] Classified classify(ByteView frame);

}  // namespace penumbra::packet
