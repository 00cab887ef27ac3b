#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet {

namespace ip_protocol {
inline constexpr std::uint8_t kHopByHop = 0;
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kIgmp = 2;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kRouting = 43;
inline constexpr std::uint8_t kFragment = 44;
inline constexpr std::uint8_t kIcmpV6 = 58;
inline constexpr std::uint8_t kDestinationOptions = 60;
inline constexpr std::uint8_t kVrrp = 112;
inline constexpr std::uint8_t kSctp = 132;
}  // namespace ip_protocol

inline constexpr std::size_t kIpv4HeaderBytes = 20;
inline constexpr std::size_t kIpv4OptionsBytesMax = 40;
inline constexpr std::size_t kIpv6HeaderBytes = 40;
inline constexpr std::size_t kIpv6ExtensionsMax = 8;

/// RFC 791.
struct Ipv4Header {
    IpAddress source;
    IpAddress destination;
    std::uint8_t protocol = 0;
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    std::uint16_t identification = 0;
    bool dont_fragment = false;
    bool more_fragments = false;
    std::uint16_t fragment_offset = 0;  ///< in units of eight bytes, 13 bits
    ByteView options;                   ///< a multiple of four bytes, at most kIpv4OptionsBytesMax

    [[nodiscard]] bool is_fragment() const noexcept { return more_fragments || fragment_offset != 0; }
};

/// RFC 8200. `next_header` names what follows the fixed header; `protocol` what follows the last extension.
struct Ipv6Header {
    IpAddress source;
    IpAddress destination;
    std::uint8_t next_header = 0;
    std::uint8_t protocol = 0;
    std::uint8_t hop_limit = 64;
    std::uint8_t traffic_class = 0;
    std::uint32_t flow_label = 0;  ///< 20 bits
    bool fragment = false;         ///< a fragment header was met, and this is not the whole datagram
    ByteView extensions;           ///< the extension headers as they stand on the wire
};

/// Nothing when it is not IPv4, is cut short, or its lengths contradict each other. Padding behind is cut off.
/// Checksums are not looked at: offload leaves them unfilled on a virtual wire.
[[nodiscard]] std::optional<Parsed<Ipv4Header>> parse_ipv4(ByteView bytes);
[[nodiscard]] Buffer build_ipv4(const Ipv4Header& header, ByteView payload);

/// As parse_ipv4; walks hop-by-hop, routing, destination and fragment headers, at most kIpv6ExtensionsMax of them.
[[nodiscard]] std::optional<Parsed<Ipv6Header>> parse_ipv6(ByteView bytes);
/// With no extensions `protocol` is written as the next header; with some, `next_header` is, and they name the rest.
[[nodiscard]] Buffer build_ipv6(const Ipv6Header& header, ByteView payload);

}  // namespace penumbra::packet
