#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet {

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
}  // namespace tcp_flag

inline constexpr std::size_t kTcpHeaderBytes = 20;
inline constexpr std::size_t kTcpOptionsBytesMax = 40;
inline constexpr std::size_t kUdpHeaderBytes = 8;
inline constexpr std::size_t kIcmpHeaderBytes = 8;

/// RFC 9293.
struct TcpHeader {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgement = 0;
    std::uint8_t flags = 0;  ///< of tcp_flag
    std::uint16_t window = 65535;
    std::uint16_t urgent = 0;
    ByteView options;  ///< a multiple of four bytes, at most kTcpOptionsBytesMax

    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

/// What a SYN's options say, as far as they can be read: a malformed one ends the reading.
struct TcpOptions {
    std::optional<std::uint16_t> segment_bytes_max;
    std::optional<std::uint8_t> window_scale;
    bool selective_acknowledgements = false;
    std::optional<std::uint32_t> timestamp;
};
[[nodiscard]] TcpOptions read_tcp_options(ByteView options);

struct UdpHeader {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
};

/// ICMP (RFC 792) and ICMPv6 (RFC 4443): `rest` is the header's second word (identifier and sequence of an echo).
struct IcmpHeader {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t rest = 0;
};

/// Nothing when the bytes end inside the header or its lengths contradict the bytes. Checksums are not looked at.
[[nodiscard]] std::optional<Parsed<TcpHeader>> parse_tcp(ByteView bytes);
[[nodiscard]] std::optional<Parsed<UdpHeader>> parse_udp(ByteView bytes);
[[nodiscard]] std::optional<Parsed<IcmpHeader>> parse_icmp(ByteView bytes);

/// Who speaks to whom, for the checksum's pseudo header.
struct AddressPair {
    IpAddress source;
    IpAddress destination;
};
[[nodiscard]] Buffer build_tcp(const TcpHeader& header, const AddressPair& addresses, ByteView payload);
[[nodiscard]] Buffer build_udp(const UdpHeader& header, const AddressPair& addresses, ByteView payload);
[[nodiscard]] Buffer build_icmp(const IcmpHeader& header, ByteView payload);
[[nodiscard]] Buffer build_icmp_v6(const IcmpHeader& header, const AddressPair& addresses, ByteView payload);

}  // namespace penumbra::packet
