#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penumbra::packet {

/// Bytes that belong to somebody else and outlive the call.
using ByteView = std::span<const std::byte>;
/// Bytes of one's own: a frame or a part of one, as the builders make it.
using Buffer = std::vector<std::byte>;

/// Big-endian reads. The caller has checked that `offset` + the width lies inside `bytes`.
[[nodiscard]] constexpr std::uint8_t load_u8(ByteView bytes, std::size_t offset) {
    return std::to_integer<std::uint8_t>(bytes[offset]);
}
[[nodiscard]] constexpr std::uint16_t load_u16(ByteView bytes, std::size_t offset) {
    return static_cast<std::uint16_t>(load_u8(bytes, offset) << 8U | load_u8(bytes, offset + 1));
}
[[nodiscard]] constexpr std::uint32_t load_u32(ByteView bytes, std::size_t offset) {
    return static_cast<std::uint32_t>(load_u16(bytes, offset)) << 16U | load_u16(bytes, offset + 2);
}
[[nodiscard]] constexpr std::uint64_t load_u64(ByteView bytes, std::size_t offset) {
    return static_cast<std::uint64_t>(load_u32(bytes, offset)) << 32U | load_u32(bytes, offset + 4);
}

/// Big-endian appends.
inline void append_u8(Buffer& out, std::uint8_t value) {
    out.push_back(std::byte{value});
}
inline void append_u16(Buffer& out, std::uint16_t value) {
    append_u8(out, static_cast<std::uint8_t>(value >> 8U));
    append_u8(out, static_cast<std::uint8_t>(value & 0xffU));
}
inline void append_u32(Buffer& out, std::uint32_t value) {
    append_u16(out, static_cast<std::uint16_t>(value >> 16U));
    append_u16(out, static_cast<std::uint16_t>(value & 0xffffU));
}
inline void append_u64(Buffer& out, std::uint64_t value) {
    append_u32(out, static_cast<std::uint32_t>(value >> 32U));
    append_u32(out, static_cast<std::uint32_t>(value & 0xffffffffU));
}
inline void append(Buffer& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Overwrites two bytes; the caller has checked that they lie inside.
inline void store_u16(Buffer& out, std::size_t offset, std::uint16_t value) {
    out[offset] = std::byte{static_cast<std::uint8_t>(value >> 8U)};
    out[offset + 1] = std::byte{static_cast<std::uint8_t>(value & 0xffU)};
}

/// A header and the bytes behind it, the way every parser of this folder answers. Views reach into the parsed bytes.
template <class Header>
struct Parsed {
    Header header;
    ByteView payload;
};

}  // namespace penumbra::packet
