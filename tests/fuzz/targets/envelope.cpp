// A peer's bytes: whatever decodes, encodes and decodes to the same.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "proto/codec/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto envelope = penumbra::codec::decode(bytes);
    if (envelope.has_value()) {
        const auto again = penumbra::codec::encode(*envelope);
        ASSERT(again.has_value() && *penumbra::codec::decode(*again) == *envelope);
    }
    static_cast<void>(penumbra::codec::decode_request(bytes).has_value());
    static_cast<void>(penumbra::codec::decode_reply(bytes).has_value());
    return 0;
}
