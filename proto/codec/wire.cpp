#include "proto/codec/wire.hpp"

#include <fmt/format.h>

namespace penumbra::codec {

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        if (i == 9 && byte > 1) return std::nullopt;
        value |= std::uint64_t{byte & 0x7FU} << (7U * i);
        if (byte < 0x80U) {
            bytes.remove_prefix(i + 1);
            return value;
        }
    }
    return std::nullopt;
}

namespace {
bool take_value(std::string_view& rest, Field& field) {
    switch (field.type) {
        case WireType::kVarint: {
            const auto value = take_varint(rest);
            field.scalar = value.value_or(0);
            return value.has_value();
        }
        case WireType::kFixed64:
            if (rest.size() < 8) return false;
            for (unsigned i = 0; i < 8; ++i)
                field.scalar |= std::uint64_t{static_cast<unsigned char>(rest[i])} << (8U * i);
            rest.remove_prefix(8);
            return true;
        case WireType::kBytes: {
            const auto length = take_varint(rest);
            if (!length.has_value() || *length > rest.size()) return false;
            field.bytes = rest.substr(0, *length);
            rest.remove_prefix(*length);
            return true;
        }
        case WireType::kAbsent:
            break;
    }
    return false;
}
}  // namespace

Result<std::vector<Field>> split(std::string_view message) {
    std::vector<Field> fields;
    std::string_view rest = message;
    while (!rest.empty()) {
        const std::optional<std::uint64_t> tag = take_varint(rest);
        const std::uint64_t number = tag.value_or(0) >> 3U;
        const std::uint64_t type = tag.value_or(0) & 7U;
        Field field{.number = static_cast<std::uint32_t>(number), .type = static_cast<WireType>(type)};
        if (number == 0 || number > 0xFFFFU || type > 2 || !take_value(rest, field)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("the field that ends {} bytes before its end is broken", rest.size()));
        }
        fields.push_back(field);
    }
    return fields;
}

void append_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80U) {
        out.push_back(static_cast<char>(value | 0x80U));
        value >>= 7U;
    }
    out.push_back(static_cast<char>(value));
}

void append_tag(std::string& out, std::uint32_t number, WireType type) {
    append_varint(out, (std::uint64_t{number} << 3U) | static_cast<std::uint64_t>(type));
}

void append_fixed64(std::string& out, std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i)
        out.push_back(static_cast<char>(value >> (8U * i)));
}

namespace {
std::size_t sequence_length(std::string_view rest) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    const auto follows = [&](std::size_t i) { return i < rest.size() && (byte(i) & 0xC0U) == 0x80U; };
    const unsigned first = byte(0);
    if (first < 0x80U) return 1;
    if (first >= 0xC2U && first <= 0xDFU) return follows(1) ? 2 : 0;
    if (first >= 0xE0U && first <= 0xEFU) {
        if (!follows(1) || !follows(2)) return 0;
        const bool overlong = first == 0xE0U && byte(1) < 0xA0U;
        const bool surrogate = first == 0xEDU && byte(1) > 0x9FU;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xF0U && first <= 0xF4U) {
        if (!follows(1) || !follows(2) || !follows(3)) return 0;
        const bool overlong = first == 0xF0U && byte(1) < 0x90U;
        const bool too_high = first == 0xF4U && byte(1) > 0x8FU;
        return overlong || too_high ? 0 : 4;
    }
    return 0;
}
}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

void Refusal::because(std::string_view field, std::string_view why, ErrorCode code) {
    if (first_.has_value()) return;
    first_ = Error{.code = code, .message = fmt::format("{}: {}", field, why)};
}

Result<void> Refusal::result() const {
    if (first_.has_value()) return tl::unexpected(*first_);
    return {};
}

}  // namespace penumbra::codec
