#pragma once

// Internal to proto/codec: a whole message to and from bytes, by its schema, which the includer has included before.

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "proto/codec/reader.hpp"
#include "proto/codec/writer.hpp"

namespace penumbra::codec {

template <class T>
Result<T> read_message(std::string_view what, std::string_view bytes, std::size_t bytes_max) {
    if (bytes.size() > bytes_max) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} has {} bytes, at most {} are allowed", what, bytes.size(), bytes_max));
    }
    Refusal refusal;
    Reader reader(bytes, refusal);
    T value{};
    fields(reader, value);
    if (Result<void> read = refusal.result(); !read.has_value()) {
        return fail_in(fmt::format("{} is malformed", what), read.error());
    }
    return value;
}

// Bytes that read_message() takes: a sender learns of a broken bound, not its peer.
template <class T>
Result<std::string> write_message(std::string_view what, const T& value, std::size_t bytes_max) {
    std::string bytes;
    Writer writer(bytes);
    fields(writer, const_cast<T&>(value));
    if (Result<T> read = read_message<T>(what, bytes, bytes_max); !read.has_value()) {
        return fail_in("writing", read.error());
    }
    return bytes;
}

}  // namespace penumbra::codec
