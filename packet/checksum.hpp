#pragma once

#include <cstdint>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet {

/// The Internet checksum (RFC 1071) of `bytes`, as it is written into a header. Over bytes that hold a right one: 0.
[[nodiscard]] std::uint16_t checksum(ByteView bytes);

/// The same with the pseudo header of TCP, UDP and ICMPv6 in front (RFC 9293, RFC 8200 section 8.1).
[[nodiscard]] std::uint16_t checksum_with_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                                        std::uint8_t protocol, ByteView bytes);

}  // namespace penumbra::packet
