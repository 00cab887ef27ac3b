#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// The bytes of protobuf's wire format, and what is wrong with them. Internal to proto/codec.
namespace penumbra::codec {

enum class WireType : unsigned char { kVarint = 0, kFixed64 = 1, kBytes = 2, kAbsent = 255 };

/// One field as it stands in a message; `bytes` is a view into the message. A default one is an absent field, which
/// reads as zero, false or empty (proto3).
struct Field {
    std::uint32_t number = 0;
    WireType type = WireType::kAbsent;
    std::uint64_t scalar = 0;  ///< of kVarint; of kFixed64 the bits of the double
    std::string_view bytes;    ///< of kBytes
};

/// Splits one message into its fields, without looking into nested ones. Groups and 32-bit fields, which no message of
/// ours has, numbers above 2^16, and a message that ends within a field are refused.
[[nodiscard]] Result<std::vector<Field>> split(std::string_view message);

/// The next varint of `bytes`, which is shortened by it; nothing when it does not end, or is above 2^64.
[[nodiscard]] std::optional<std::uint64_t> take_varint(std::string_view& bytes);

void append_varint(std::string& out, std::uint64_t value);
void append_tag(std::string& out, std::uint32_t number, WireType type);
void append_fixed64(std::string& out, std::uint64_t value);

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

/// The first thing wrong with a message, shared by all readers of its parts.
class Refusal {
 public:
    /// Keeps the first only: later ones follow from it.
    void because(std::string_view field, std::string_view why, ErrorCode code = ErrorCode::kInvalidArgument);
    [[nodiscard]] bool any() const noexcept { return first_.has_value(); }
    [[nodiscard]] Result<void> result() const;

 private:
    std::optional<Error> first_;
};

}  // namespace penumbra::codec
