#include "packet/transport.hpp"

#include "base/result.hpp"
#include "packet/checksum.hpp"
#include "packet/ip.hpp"

namespace penumbra::packet {

namespace {
namespace option {
constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNothing = 1;
constexpr std::uint8_t kSegmentBytesMax = 2;
constexpr std::uint8_t kWindowScale = 3;
constexpr std::uint8_t kSelectiveAcknowledgements = 4;
constexpr std::uint8_t kTimestamp = 8;
}  // namespace option

Buffer icmp_without_checksum(const IcmpHeader& header, ByteView payload) {
    Buffer out;
    out.reserve(kIcmpHeaderBytes + payload.size());
    append_u8(out, header.type);
    append_u8(out, header.code);
    append_u16(out, 0);
    append_u32(out, header.rest);
    append(out, payload);
    return out;
}
}  // namespace

TcpOptions read_tcp_options(ByteView options) {
    TcpOptions read;
    for (std::size_t at = 0; at < options.size();) {
        const std::uint8_t kind = load_u8(options, at);
        if (kind == option::kEnd) break;
        if (kind == option::kNothing) {
            ++at;
            continue;
        }
        if (at + 2 > options.size()) break;
        const std::size_t length = load_u8(options, at + 1);
        if (length < 2 || at + length > options.size()) break;
        if (kind == option::kSegmentBytesMax && length == 4) read.segment_bytes_max = load_u16(options, at + 2);
        if (kind == option::kWindowScale && length == 3) read.window_scale = load_u8(options, at + 2);
        if (kind == option::kSelectiveAcknowledgements) read.selective_acknowledgements = true;
        if (kind == option::kTimestamp && length == 10) read.timestamp = load_u32(options, at + 2);
        at += length;
    }
    return read;
}

std::optional<Parsed<TcpHeader>> parse_tcp(ByteView bytes) {
    if (bytes.size() < kTcpHeaderBytes) return std::nullopt;
    const std::size_t header_bytes = std::size_t{load_u8(bytes, 12)} / 16 * 4;
    if (header_bytes < kTcpHeaderBytes || header_bytes > bytes.size()) return std::nullopt;
    return Parsed<TcpHeader>{.header = {.source_port = load_u16(bytes, 0),
                                        .destination_port = load_u16(bytes, 2),
                                        .sequence = load_u32(bytes, 4),
                                        .acknowledgement = load_u32(bytes, 8),
                                        .flags = load_u8(bytes, 13),
                                        .window = load_u16(bytes, 14),
                                        .urgent = load_u16(bytes, 18),
                                        .options = bytes.subspan(kTcpHeaderBytes, header_bytes - kTcpHeaderBytes)},
                             .payload = bytes.subspan(header_bytes)};
}

Buffer build_tcp(const TcpHeader& header, const AddressPair& addresses, ByteView payload) {
    ASSERT(header.options.size() % 4 == 0 && header.options.size() <= kTcpOptionsBytesMax);
    const std::size_t header_bytes = kTcpHeaderBytes + header.options.size();
    Buffer out;
    out.reserve(header_bytes + payload.size());
    append_u16(out, header.source_port);
    append_u16(out, header.destination_port);
    append_u32(out, header.sequence);
    append_u32(out, header.acknowledgement);
    append_u8(out, static_cast<std::uint8_t>(header_bytes / 4 * 16));
    append_u8(out, header.flags);
    append_u16(out, header.window);
    append_u16(out, 0);
    append_u16(out, header.urgent);
    append(out, header.options);
    append(out, payload);
    store_u16(out, 16, checksum_with_pseudo_header(addresses.source, addresses.destination, ip_protocol::kTcp, out));
    return out;
}

std::optional<Parsed<UdpHeader>> parse_udp(ByteView bytes) {
    if (bytes.size() < kUdpHeaderBytes) return std::nullopt;
    const std::size_t total_bytes = load_u16(bytes, 4);
    if (total_bytes < kUdpHeaderBytes || total_bytes > bytes.size()) return std::nullopt;
    return Parsed<UdpHeader>{.header = {.source_port = load_u16(bytes, 0), .destination_port = load_u16(bytes, 2)},
                             .payload = bytes.subspan(kUdpHeaderBytes, total_bytes - kUdpHeaderBytes)};
}

Buffer build_udp(const UdpHeader& header, const AddressPair& addresses, ByteView payload) {
    ASSERT(kUdpHeaderBytes + payload.size() <= 0xffff);
    Buffer out;
    out.reserve(kUdpHeaderBytes + payload.size());
    append_u16(out, header.source_port);
    append_u16(out, header.destination_port);
    append_u16(out, static_cast<std::uint16_t>(kUdpHeaderBytes + payload.size()));
    append_u16(out, 0);
    append(out, payload);
    const std::uint16_t sum =
        checksum_with_pseudo_header(addresses.source, addresses.destination, ip_protocol::kUdp, out);
    store_u16(out, 6, sum == 0 ? 0xffff : sum);  // RFC 768: 0 would say "none"
    return out;
}

std::optional<Parsed<IcmpHeader>> parse_icmp(ByteView bytes) {
    if (bytes.size() < kIcmpHeaderBytes) return std::nullopt;
    return Parsed<IcmpHeader>{
        .header = {.type = load_u8(bytes, 0), .code = load_u8(bytes, 1), .rest = load_u32(bytes, 4)},
        .payload = bytes.subspan(kIcmpHeaderBytes)};
}

Buffer build_icmp(const IcmpHeader& header, ByteView payload) {
    Buffer out = icmp_without_checksum(header, payload);
    store_u16(out, 2, checksum(out));
    return out;
}

Buffer build_icmp_v6(const IcmpHeader& header, const AddressPair& addresses, ByteView payload) {
    Buffer out = icmp_without_checksum(header, payload);
    store_u16(out, 2, checksum_with_pseudo_header(addresses.source, addresses.destination, ip_protocol::kIcmpV6, out));
    return out;
}

}  // namespace penumbra::packet
