#pragma once

#include <rapidcheck.h>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet::testing {

inline Buffer bytes_of(const std::vector<std::uint8_t>& octets) {
    Buffer out;
    for (const std::uint8_t octet : octets)
        append_u8(out, octet);
    return out;
}

inline rc::Gen<Buffer> any_bytes(std::size_t bytes_max) {
    return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, bytes_max + 1), [](std::size_t size) {
        return rc::gen::map(rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>()),
                            bytes_of);
    });
}

/// Whole words, as IP and TCP options are.
inline rc::Gen<Buffer> any_options() {
    return rc::gen::map(any_bytes(40), [](Buffer bytes) {
        bytes.resize(bytes.size() / 4 * 4);
        return bytes;
    });
}

inline rc::Gen<IpAddress> any_v4() {
    return rc::gen::map(rc::gen::arbitrary<std::uint32_t>(), IpAddress::v4);
}

inline rc::Gen<IpAddress> any_v6() {
    return rc::gen::map(rc::gen::container<std::array<std::uint8_t, 16>>(rc::gen::arbitrary<std::uint8_t>()),
                        IpAddress::v6);
}

inline rc::Gen<MacAddress> any_mac() {
    return rc::gen::map(rc::gen::container<std::array<std::uint8_t, 6>>(rc::gen::arbitrary<std::uint8_t>()),
                        [](const std::array<std::uint8_t, 6>& octets) { return MacAddress{octets}; });
}

inline bool same(ByteView a, ByteView b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace penumbra::packet::testing
