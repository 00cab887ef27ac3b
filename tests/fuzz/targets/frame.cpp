#include <cstddef>
#include <cstdint>

#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/segment.hpp"
#include "packet/transport.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Every parser meets the same bytes, at the front of the frame and where a well-formed frame would have led it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace packet = penumbra::packet;
    const packet::ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
    const packet::Classified classified = packet::classify(bytes);
    if (classified.segment.payload.size() > size) __builtin_trap();
    static_cast<void>(packet::parse_arp(bytes));
    static_cast<void>(packet::parse_ipv4(bytes));
    static_cast<void>(packet::parse_ipv6(bytes));
    static_cast<void>(packet::parse_udp(bytes));
    static_cast<void>(packet::parse_icmp(bytes));
    if (const auto tcp = packet::parse_tcp(bytes)) static_cast<void>(packet::read_tcp_options(tcp->header.options));
    return 0;
}
