#include "proto/codec/reader.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/limits/wire.hpp"

namespace penumbra::codec {

Reader::Reader(std::string_view message, Refusal& refusal, int depth) : refusal_(refusal), depth_(depth) {
    Result<std::vector<Field>> fields = split(message);
    if (fields.has_value()) fields_ = std::move(*fields);
    if (!fields.has_value()) refusal_.because("a message", fields.error().message);
}

Field Reader::find(std::uint32_t number, std::string_view name) {
    return find_between(number, number, name);
}

Field Reader::find_between(std::uint32_t low, std::uint32_t high, std::string_view name) {
    Field found;
    for (const Field& field : fields_) {
        if (field.number < low || field.number > high) continue;
        expect(found.type == WireType::kAbsent, name, "it is said twice");
        found = field;
    }
    return found;
}

bool Reader::has_type(const Field& field, std::string_view name, WireType type) {
    const bool fits = field.type == type || field.type == WireType::kAbsent;
    expect(fits, name, "its wire type is not this field's");
    return fits;
}

void Reader::refuse_count(std::string_view name, std::size_t count, std::size_t items_max) {
    refusal_.because(name, fmt::format("{} items, at most {} are allowed", count, items_max));
}

void Reader::value(const Field& field, std::string_view name, std::uint64_t& out) {
    if (has_type(field, name, WireType::kVarint)) out = field.scalar;
}

void Reader::value(const Field& field, std::string_view name, bool& out) {
    std::uint64_t number = 0;
    value(field, name, number);
    expect(number <= 1, name, "neither true nor false");
    out = number == 1;
}

void Reader::value(const Field& field, std::string_view name, std::uint32_t& out) {
    std::uint64_t number = 0;
    value(field, name, number);
    expect(number <= std::numeric_limits<std::uint32_t>::max(), name, "above 2^32");
    out = static_cast<std::uint32_t>(number);
}

void Reader::value(const Field& field, std::string_view name, std::int64_t& out) {
    std::uint64_t zigzag = 0;
    value(field, name, zigzag);
    out = static_cast<std::int64_t>((zigzag >> 1U) ^ (0 - (zigzag & 1U)));
}

void Reader::value(const Field& field, std::string_view name, double& out) {
    out = 0;
    if (!has_type(field, name, WireType::kFixed64)) return;
    const auto number = std::bit_cast<double>(field.scalar);
    expect(std::isfinite(number), name, "not a finite number");
    out = std::isfinite(number) ? number : 0;
}

void Reader::value(const Field& field, std::string_view name, std::string& out) {
    if (!has_type(field, name, WireType::kBytes)) return;
    expect(field.bytes.size() <= limits::kTextBytesMax, name, "a text longer than allowed");
    expect(is_utf8(field.bytes), name, "not UTF-8");
    if (!refusal_.any()) out = field.bytes;
}

void Reader::value(const Field& field, std::string_view name, Bytes& out) {
    std::uint64_t number = 0;
    value(field, name, number);
    out = Bytes(number);
}

void Reader::value(const Field& field, std::string_view name, WallTime& out) {
    constexpr std::uint64_t kYear2200Ms = 7'258'118'400'000;
    std::uint64_t unix_ms = 0;
    value(field, name, unix_ms);
    expect(unix_ms <= kYear2200Ms, name, "a time before 1970 or after 2200");
    out = WallTime(std::chrono::milliseconds(unix_ms <= kYear2200Ms ? static_cast<std::int64_t>(unix_ms) : 0));
}

void Reader::value(const Field& field, std::string_view name, Epoch& out) {
    std::uint64_t number = 0;
    value(field, name, number);
    out = Epoch(number);
}

void Reader::value(const Field& field, std::string_view name, Fence& out) {
    std::uint64_t number = 0;
    value(field, name, number);
    out = Fence(number);
}

void Reader::text(std::uint32_t number, std::string_view name, std::string& out, std::size_t bytes_max) {
    const Field field = find(number, name);
    if (!has_type(field, name, WireType::kBytes)) return;
    if (field.bytes.size() > bytes_max) {
        return refusal_.because(name, fmt::format("{} bytes, at most {} are allowed", field.bytes.size(), bytes_max));
    }
    expect(is_utf8(field.bytes), name, "not UTF-8");
    if (!refusal_.any()) out = field.bytes;
}

void Reader::between(std::uint32_t number, std::string_view name, double& out, double low, double high) {
    value(find(number, name), name, out);
    if (out < low || out > high) refusal_.because(name, fmt::format("{} is not between {} and {}", out, low, high));
}

void Reader::numbers(std::uint32_t number, std::string_view name, std::vector<double>& out, std::size_t items_max) {
    const Field field = find(number, name);
    out.clear();
    if (!has_type(field, name, WireType::kBytes)) return;
    expect(field.bytes.size() % 8 == 0, name, "a list of numbers ends within one");
    if (field.bytes.size() / 8 > items_max) return refuse_count(name, field.bytes.size() / 8, items_max);
    out.reserve(field.bytes.size() / 8);
    for (std::size_t at = 0; at + 8 <= field.bytes.size(); at += 8) {
        std::uint64_t bits = 0;
        for (unsigned i = 0; i < 8; ++i)
            bits |= std::uint64_t{static_cast<unsigned char>(field.bytes[at + i])} << (8U * i);
        value(Field{.number = number, .type = WireType::kFixed64, .scalar = bits, .bytes = {}}, name,
              out.emplace_back());
    }
}

void Reader::buckets(std::uint32_t number, std::string_view name, std::vector<model::HistogramBucket>& out) {
    const Field field = find(number, name);
    out.clear();
    if (!has_type(field, name, WireType::kBytes)) return;
    std::string_view rest = field.bytes;
    std::uint64_t before = 0;
    while (!rest.empty()) {
        const auto step = take_varint(rest);
        const auto count = take_varint(rest);
        const std::uint64_t value_us = before + step.value_or(0);
        const bool rises = out.empty() || value_us > before;
        if (!step.has_value() || !count.has_value() || value_us < before || !rises) {
            return refusal_.because(name, "its buckets do not rise, or end within one");
        }
        if (out.size() == limits::kHistogramBucketsMax) return refusal_.because(name, "more buckets than allowed");
        out.push_back({.value_us = value_us, .count = *count});
        before = value_us;
    }
}

}  // namespace penumbra::codec
