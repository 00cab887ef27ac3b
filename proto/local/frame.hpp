#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// A message on the local socket: its length in four bytes, most significant first, then as many bytes of proto/codec.
/// One request and one reply a connection. Pure.
namespace penumbra::local {

inline constexpr std::size_t kLengthBytes = 4;

/// The frame of a message of less than 4 GiB.
[[nodiscard]] inline std::string framed(std::string_view message) {
    std::string frame;
    frame.reserve(kLengthBytes + message.size());
    for (unsigned shift = 32; shift > 0; shift -= 8)
        frame += static_cast<char>(message.size() >> (shift - 8) & 0xFFU);
    frame += message;
    return frame;
}

/// The length a frame claims; `frame` holds at least kLengthBytes.
[[nodiscard]] inline std::size_t claimed_length(std::string_view frame) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i)
        length = length << 8U | static_cast<unsigned char>(frame[i]);
    return length;
}

}  // namespace penumbra::local
