#include "packet/ip.hpp"

#include "base/result.hpp"
#include "packet/checksum.hpp"

namespace penumbra::packet {

namespace {
constexpr std::size_t kFragmentHeaderBytes = 8;

bool is_extension(std::uint8_t next) {
    return next == ip_protocol::kHopByHop || next == ip_protocol::kRouting || next == ip_protocol::kFragment ||
           next == ip_protocol::kDestinationOptions;
}

/// Walks the extension headers at the front of `bytes`: their length, or nothing when they are cut short or too many.
std::optional<std::size_t> walk_extensions(ByteView bytes, Ipv6Header& header) {
    std::size_t used = 0;
    std::size_t count = 0;
    while (is_extension(header.protocol)) {
        if (++count > kIpv6ExtensionsMax || bytes.size() < used + 2) return std::nullopt;
        const bool fragment = header.protocol == ip_protocol::kFragment;
        const std::size_t length = fragment ? kFragmentHeaderBytes : 8 * (std::size_t{load_u8(bytes, used + 1)} + 1);
        if (bytes.size() < used + length) return std::nullopt;
        const bool later_part = fragment && (load_u16(bytes, used + 2) & 0xfff8U) != 0;
        if (fragment && (load_u16(bytes, used + 2) & 0xfff9U) != 0) header.fragment = true;
        header.protocol = load_u8(bytes, used);
        used += length;
        if (later_part) break;  // what follows is the middle of somebody's payload, not a header
    }
    return used;
}
}  // namespace

std::optional<Parsed<Ipv4Header>> parse_ipv4(ByteView bytes) {
    if (bytes.size() < kIpv4HeaderBytes || load_u8(bytes, 0) >> 4U != 4) return std::nullopt;
    const std::size_t header_bytes = std::size_t{load_u8(bytes, 0) & 0x0fU} * 4;
    const std::size_t total_bytes = load_u16(bytes, 2);
    if (header_bytes < kIpv4HeaderBytes || total_bytes < header_bytes || bytes.size() < total_bytes) {
        return std::nullopt;
    }
    const std::uint16_t fragment = load_u16(bytes, 6);
    return Parsed<Ipv4Header>{.header = {.source = IpAddress::load_v4(bytes, 12),
                                         .destination = IpAddress::load_v4(bytes, 16),
                                         .protocol = load_u8(bytes, 9),
                                         .ttl = load_u8(bytes, 8),
                                         .tos = load_u8(bytes, 1),
                                         .identification = load_u16(bytes, 4),
                                         .dont_fragment = (fragment & 0x4000U) != 0,
                                         .more_fragments = (fragment & 0x2000U) != 0,
                                         .fragment_offset = static_cast<std::uint16_t>(fragment & 0x1fffU),
                                         .options = bytes.subspan(kIpv4HeaderBytes, header_bytes - kIpv4HeaderBytes)},
                              .payload = bytes.subspan(header_bytes, total_bytes - header_bytes)};
}

Buffer build_ipv4(const Ipv4Header& header, ByteView payload) {
    ASSERT(header.source.is_v4() && header.destination.is_v4());
    ASSERT(header.options.size() % 4 == 0 && header.options.size() <= kIpv4OptionsBytesMax);
    const std::size_t header_bytes = kIpv4HeaderBytes + header.options.size();
    ASSERT(header_bytes + payload.size() <= 0xffff);
    Buffer out;
    out.reserve(header_bytes + payload.size());
    append_u8(out, static_cast<std::uint8_t>(0x40U | header_bytes / 4));
    append_u8(out, header.tos);
    append_u16(out, static_cast<std::uint16_t>(header_bytes + payload.size()));
    append_u16(out, header.identification);
    append_u16(
        out, static_cast<std::uint16_t>((header.dont_fragment ? 0x4000U : 0U) | (header.more_fragments ? 0x2000U : 0U) |
                                        (header.fragment_offset & 0x1fffU)));
    append_u8(out, header.ttl);
    append_u8(out, header.protocol);
    append_u16(out, 0);
    header.source.append_to(out);
    header.destination.append_to(out);
    append(out, header.options);
    store_u16(out, 10, checksum(out));
    append(out, payload);
    return out;
}

std::optional<Parsed<Ipv6Header>> parse_ipv6(ByteView bytes) {
    if (bytes.size() < kIpv6HeaderBytes || load_u8(bytes, 0) >> 4U != 6) return std::nullopt;
    const std::size_t payload_bytes = load_u16(bytes, 4);
    if (bytes.size() < kIpv6HeaderBytes + payload_bytes) return std::nullopt;
    const std::uint32_t first = load_u32(bytes, 0);
    Ipv6Header header{.source = IpAddress::load_v6(bytes, 8),
                      .destination = IpAddress::load_v6(bytes, 24),
                      .next_header = load_u8(bytes, 6),
                      .protocol = load_u8(bytes, 6),
                      .hop_limit = load_u8(bytes, 7),
                      .traffic_class = static_cast<std::uint8_t>(first >> 20U & 0xffU),
                      .flow_label = first & 0xfffffU};
    const ByteView rest = bytes.subspan(kIpv6HeaderBytes, payload_bytes);
    const auto extension_bytes = walk_extensions(rest, header);
    if (!extension_bytes) return std::nullopt;
    header.extensions = rest.first(*extension_bytes);
    return Parsed<Ipv6Header>{.header = header, .payload = rest.subspan(*extension_bytes)};
}

Buffer build_ipv6(const Ipv6Header& header, ByteView payload) {
    const std::size_t payload_bytes = header.extensions.size() + payload.size();
    ASSERT(payload_bytes <= 0xffff);
    Buffer out;
    out.reserve(kIpv6HeaderBytes + payload_bytes);
    append_u32(out,
               0x60000000U | static_cast<std::uint32_t>(header.traffic_class) << 20U | (header.flow_label & 0xfffffU));
    append_u16(out, static_cast<std::uint16_t>(payload_bytes));
    append_u8(out, header.extensions.empty() ? header.protocol : header.next_header);
    append_u8(out, header.hop_limit);
    for (const IpAddress* address : {&header.source, &header.destination}) {
        for (const std::uint8_t octet : address->octets())
            append_u8(out, octet);
    }
    append(out, header.extensions);
    append(out, payload);
    return out;
}

}  // namespace penumbra::packet
