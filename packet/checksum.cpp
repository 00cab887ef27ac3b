#include "packet/checksum.hpp"

namespace penumbra::packet {

namespace {
std::uint64_t sum_of(ByteView bytes) {
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (; i + 1 < bytes.size(); i += 2)
        sum += load_u16(bytes, i);
    if (i < bytes.size()) sum += static_cast<std::uint64_t>(load_u8(bytes, i)) << 8U;
    return sum;
}

std::uint16_t folded(std::uint64_t sum) {
    while (sum > 0xffff)
        sum = (sum & 0xffffU) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum & 0xffffU);
}
}  // namespace

std::uint16_t checksum(ByteView bytes) {
    return folded(sum_of(bytes));
}

std::uint16_t checksum_with_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                          ByteView bytes) {
    Buffer pseudo;
    source.append_to(pseudo);
    destination.append_to(pseudo);
    return folded(sum_of(pseudo) + protocol + bytes.size() + sum_of(bytes));
}

}  // namespace penumbra::packet
