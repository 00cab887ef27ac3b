#include "replay/framer/http1.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
using penumbra::packet::ByteView;
using penumbra::replay::framer::Http1Framer;

struct Seen {
    std::size_t messages = 0;
    std::size_t consumed = 0;
    bool malformed = false;
};

Seen frame(Http1Framer::Role role, ByteView bytes, std::size_t piece_bytes) {
    Http1Framer framer(role);
    Seen seen;
    while (!bytes.empty()) {
        const auto [consumed, status] =
            framer.feed(bytes.first(bytes.size() < piece_bytes ? bytes.size() : piece_bytes));
        if (status == Http1Framer::Status::kMalformed) {
            seen.malformed = true;
            return seen;
        }
        if (consumed == 0) __builtin_trap();  // no progress: the caller would never end
        if (status == Http1Framer::Status::kComplete) ++seen.messages;
        seen.consumed += consumed;
        bytes = bytes.subspan(consumed);
    }
    return seen;
}
}  // namespace

// However the bytes are cut, both readers must see the same messages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
    for (const auto role : {Http1Framer::Role::kRequest, Http1Framer::Role::kResponse}) {
        const Seen whole = frame(role, bytes, size);
        const Seen pieces = frame(role, bytes, 3);
        if (whole.messages != pieces.messages || whole.malformed != pieces.malformed) __builtin_trap();
    }
    return 0;
}
