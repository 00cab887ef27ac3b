#include "proto/codec/writer.hpp"

#include <bit>

namespace penumbra::codec {

void Writer::put(std::uint32_t number, std::uint64_t value, Zero zero) {
    if (value == 0 && zero == Zero::kLeftOut) return;
    append_tag(out_, number, WireType::kVarint);
    append_varint(out_, value);
}

void Writer::put(std::uint32_t number, double value, Zero zero) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    if (bits == 0 && zero == Zero::kLeftOut) return;
    append_tag(out_, number, WireType::kFixed64);
    append_fixed64(out_, bits);
}

void Writer::put(std::uint32_t number, std::string_view text, Zero zero) {
    if (text.empty() && zero == Zero::kLeftOut) return;
    append_tag(out_, number, WireType::kBytes);
    append_varint(out_, text.size());
    out_.append(text);
}

void Writer::numbers(std::uint32_t number, std::string_view, const std::vector<double>& items, std::size_t) {
    std::string packed;
    for (const double item : items)
        append_fixed64(packed, std::bit_cast<std::uint64_t>(item));
    put(number, std::string_view(packed), Zero::kLeftOut);
}

void Writer::buckets(std::uint32_t number, std::string_view, const std::vector<model::HistogramBucket>& items) {
    std::string packed;
    std::uint64_t before = 0;
    for (const model::HistogramBucket& bucket : items) {
        append_varint(packed, bucket.value_us - before);
        append_varint(packed, bucket.count);
        before = bucket.value_us;
    }
    put(number, std::string_view(packed), Zero::kLeftOut);
}

}  // namespace penumbra::codec
