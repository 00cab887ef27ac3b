#include "analysis/histogram_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis {

namespace {

constexpr std::uint32_t kPlainCookie = 0x1c849313;
constexpr std::uint32_t kCompressedCookie = 0x1c849314;
constexpr std::uint32_t kCookieFamily = 0x1c849300;
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kChunk = 16 * 1024;
constexpr unsigned kDigits = 3;
constexpr unsigned kDigitsMax = 5;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

using Bytes = std::vector<std::uint8_t>;

auto broken(std::string_view what) {
    return fail(ErrorCode::kDataLoss, fmt::format("this is no whole HdrHistogram: {}", what));
}

Result<Bytes> from_base64(std::string_view text) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    Bytes bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const std::size_t place = kAlphabet.find(c);
        if (place == std::string_view::npos) return broken("a character that base64 does not have");
        pending = (pending << 6U) | static_cast<std::uint32_t>(place);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes.push_back(static_cast<std::uint8_t>(pending >> bits));
        pending &= (1U << bits) - 1;
    }
    return bytes;
}

std::string to_base64(const Bytes& bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = (group << 8U) | (i + k < bytes.size() ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += i + k <= bytes.size() ? kAlphabet[(group >> (18 - 6 * k)) & 63U] : '=';
    }
    return text;
}

/// Big-endian numbers from the front of bytes.
class Reader {
 public:
    explicit Reader(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }
    [[nodiscard]] std::span<const std::uint8_t> rest() const noexcept { return bytes_; }
    /// The caller has checked that they are there.
    std::uint64_t number(std::size_t count) noexcept {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : bytes_.first(count))
            value = (value << 8U) | byte;
        bytes_ = bytes_.subspan(count);
        return value;
    }
    /// LEB128 of which the ninth byte is whole; nullopt where the bytes end first.
    std::optional<std::int64_t> zigzag() noexcept {
        std::uint64_t value = 0;
        for (unsigned byte_index = 0; byte_index < 9; ++byte_index) {
            if (bytes_.empty()) return std::nullopt;
            const std::uint8_t byte = bytes_.front();
            bytes_ = bytes_.subspan(1);
            const bool is_last = byte_index == 8 || byte < 0x80;
            value |= static_cast<std::uint64_t>(byte_index == 8 ? byte : byte & 0x7fU) << (7 * byte_index);
            if (is_last) break;
        }
        return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
    }

 private:
    std::span<const std::uint8_t> bytes_;
};

void put(Bytes& bytes, std::uint64_t value, std::size_t count) {
    for (std::size_t i = count; i-- > 0;)
        bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_zigzag(Bytes& bytes, std::int64_t number) {
    std::uint64_t value = (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63);
    for (unsigned byte_index = 0; byte_index < 8; ++byte_index) {
        if (value < 0x80) {
            bytes.push_back(static_cast<std::uint8_t>(value));
            return;
        }
        bytes.push_back(static_cast<std::uint8_t>(value | 0x80U));
        value >>= 7U;
    }
    bytes.push_back(static_cast<std::uint8_t>(value));
}

Result<Bytes> inflated(std::span<const std::uint8_t> packed) {
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) return fail(ErrorCode::kResourceExhausted, "zlib has no memory");
    stream.next_in = const_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    Bytes bytes;
    int state = Z_OK;
    while (state == Z_OK && bytes.size() <= limits::kHdrBytesMax) {
        const std::size_t before = bytes.size();
        bytes.resize(before + kChunk);
        stream.next_out = bytes.data() + before;
        stream.avail_out = kChunk;
        state = inflate(&stream, Z_NO_FLUSH);
        bytes.resize(before + kChunk - stream.avail_out);
    }
    inflateEnd(&stream);
    if (state != Z_STREAM_END) return broken("what was deflated does not inflate, or to too much");
    return bytes;
}

Result<std::vector<HdrCell>> cells_of(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kHeaderBytes) return broken("its header is cut off");
    Reader reader(bytes);
    if (reader.number(4) != kPlainCookie) return broken("its inner part is no V2 histogram");
    const std::uint64_t length = reader.number(4);
    const std::uint64_t shifted = reader.number(4);
    const std::uint64_t digits = reader.number(4);
    const std::uint64_t lowest = reader.number(8);
    reader.number(8);  // the highest value that could be recorded: the cells say which were
    reader.number(8);  // a ratio for values that are not whole
    if (shifted != 0) return fail(ErrorCode::kUnsupported, "a shifted HdrHistogram (of doubles) cannot be read");
    if (digits > kDigitsMax || lowest == 0) return broken("its precision has no sense");
    const HdrLayout layout(static_cast<unsigned>(digits), lowest);
    if (!layout.is_possible() || length > reader.left()) return broken("its header promises more than follows");
    Reader counts(reader.rest().first(static_cast<std::size_t>(length)));
    std::vector<HdrCell> cells;
    std::size_t index = 0;
    while (counts.left() > 0) {
        const auto count = counts.zigzag();
        if (!count) return broken("a count is cut off");
        if (*count <= 0) {
            if (*count < -static_cast<std::int64_t>(INT32_MAX)) return broken("a run of zeros has no end");
            index += *count == 0 ? 1 : static_cast<std::size_t>(-*count);
            continue;
        }
        if (!layout.holds(index)) return broken("a value does not fit into 63 bits");
        cells.push_back({layout.middle_of(index), layout.highest_of(index), static_cast<std::uint64_t>(*count)});
        ++index;
    }
    return cells;
}

}  // namespace

HdrLayout::HdrLayout(unsigned digits, std::uint64_t lowest) noexcept
    : unit_bits_(static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(lowest, 1))) - 1) {
    std::uint64_t finest = 2;  // largest value whose cell is one unit wide
    for (unsigned i = 0; i < digits; ++i)
        finest *= 10;
    half_bits_ = static_cast<unsigned>(std::bit_width(finest - 1)) - 1;
}

std::size_t HdrLayout::index_of(std::uint64_t value) const noexcept {
    const std::uint64_t units = value >> unit_bits_;
    const std::uint64_t first = (std::uint64_t{2} << half_bits_) - 1;
    const auto bucket = static_cast<unsigned>(std::bit_width(units | first)) - (half_bits_ + 1);
    return static_cast<std::size_t>((std::uint64_t{bucket} << half_bits_) + (units >> bucket));
}

HdrLayout::Place HdrLayout::place_of(std::size_t index) const noexcept {
    const std::size_t half = std::size_t{1} << half_bits_;
    if (index < 2 * half) return {index << unit_bits_, unit_bits_};
    const auto bucket = static_cast<unsigned>((index >> half_bits_) - 1);
    return {((index & (half - 1)) + half) << (bucket + unit_bits_), bucket + unit_bits_};
}

bool HdrLayout::holds(std::size_t index) const noexcept {
    const std::size_t bucket = index >> half_bits_;
    return bucket <= 63 && std::max<std::size_t>(bucket, 1) - 1 + half_bits_ + 1 + unit_bits_ <= 63;
}

std::uint64_t HdrLayout::middle_of(std::size_t index) const noexcept {
    const Place place = place_of(index);
    return place.lowest + (std::uint64_t{1} << place.width_bits) / 2;
}

std::uint64_t HdrLayout::highest_of(std::size_t index) const noexcept {
    const Place place = place_of(index);
    return place.lowest + (std::uint64_t{1} << place.width_bits) - 1;
}

Result<std::vector<HdrCell>> decode_hdr(std::string_view base64) {
    const Bytes bytes = TRY(from_base64(base64));
    if (bytes.size() < 8) return broken("it is too short");
    Reader reader(bytes);
    const auto cookie = static_cast<std::uint32_t>(reader.number(4));
    if (cookie == kPlainCookie) return cells_of(bytes);
    if (cookie != kCompressedCookie) {
        if ((cookie & 0xffffff00U) == kCookieFamily)
            return fail(ErrorCode::kUnsupported, "only version 2 of HdrHistogram's encoding can be read");
        return broken("it begins with other bytes");
    }
    const std::uint64_t length = reader.number(4);
    if (length > reader.left()) return broken("it is cut off");
    const Bytes plain = TRY(inflated(reader.rest().first(static_cast<std::size_t>(length))));
    return cells_of(plain);
}

Result<std::string> encode_hdr(std::span<const model::HistogramBucket> buckets) {
    const HdrLayout layout(kDigits, 1);
    std::vector<std::uint64_t> counts(1);
    for (const auto& [value, count] : buckets) {
        const std::size_t index = layout.index_of(value);
        if (value > limits::kHistogramValueMax || count > static_cast<std::uint64_t>(INT64_MAX))
            return fail(ErrorCode::kInvalidArgument, fmt::format("{} times {} us is no count", count, value));
        if (index >= counts.size()) counts.resize(index + 1);
        counts[index] += count;
        if (counts[index] > static_cast<std::uint64_t>(INT64_MAX))
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{} us are counted more often than 63 bits hold", value));
    }
    Bytes payload;
    for (std::size_t i = 0; i < counts.size();) {
        std::size_t next = i + 1;
        while (counts[i] == 0 && next < counts.size() && counts[next] == 0)
            ++next;
        put_zigzag(payload, next - i > 1 ? -static_cast<std::int64_t>(next - i) : static_cast<std::int64_t>(counts[i]));
        i = next;
    }
    Bytes plain;
    put(plain, kPlainCookie, 4);
    put(plain, payload.size(), 4);
    put(plain, 0, 4);
    put(plain, kDigits, 4);
    put(plain, 1, 8);
    put(plain, limits::kHistogramValueMax, 8);
    put(plain, std::bit_cast<std::uint64_t>(1.0), 8);
    plain.insert(plain.end(), payload.begin(), payload.end());
    Bytes packed(compressBound(plain.size()));
    uLongf length = packed.size();
    if (compress2(packed.data(), &length, plain.data(), plain.size(), Z_BEST_COMPRESSION) != Z_OK)
        return fail(ErrorCode::kResourceExhausted, "zlib has no memory");
    Bytes whole;
    put(whole, kCompressedCookie, 4);
    put(whole, length, 4);
    whole.insert(whole.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(length));
    return to_base64(whole);
}

}  // namespace penumbra::analysis
