#include "replay/exchange_stream.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/limits/traffic.hpp"

namespace penumbra::replay {

namespace {
constexpr std::size_t kLengthBytes = 4;
enum class RecordKind : std::uint8_t { kExchange = 1, kConnectionEnd = 2, kTally = 3 };
constexpr std::size_t kEndpointBytes = 18;
constexpr std::size_t kExchangeFixedBytes = 8 + 4 + 2 * kEndpointBytes + 4 * 8 + 1 + 2 + 8;

void append_time(packet::Buffer& out, Instant when) {
    packet::append_u64(out, static_cast<std::uint64_t>(when.time_since_epoch().count()));
}

void append_endpoint(packet::Buffer& out, const packet::Endpoint& endpoint) {
    for (const std::uint8_t octet : endpoint.address.octets())
        packet::append_u8(out, octet);
    packet::append_u16(out, endpoint.port);
}

void append_fields(packet::Buffer& out, const Exchange& exchange) {
    packet::append_u8(out, static_cast<std::uint8_t>(RecordKind::kExchange));
    packet::append_u64(out, exchange.connection);
    packet::append_u32(out, exchange.ordinal);
    append_endpoint(out, exchange.client);
    append_endpoint(out, exchange.server);
    append_time(out, exchange.request_begin);
    append_time(out, exchange.request_end);
    append_time(out, exchange.response_begin);
    append_time(out, exchange.response_end);
    packet::append_u8(out, static_cast<std::uint8_t>(exchange.end));
    packet::append_u16(out, exchange.status);
    packet::append_u64(out, exchange.response_bytes);
    packet::append(out, exchange.request);
}

void append_fields(packet::Buffer& out, const ConnectionEnd& end) {
    packet::append_u8(out, static_cast<std::uint8_t>(RecordKind::kConnectionEnd));
    packet::append_u64(out, end.connection);
    append_time(out, end.when);
}

void append_fields(packet::Buffer& out, const Tally& tally) {
    packet::append_u8(out, static_cast<std::uint8_t>(RecordKind::kTally));
    packet::append_u64(out, tally.capture_drop);
    packet::append_u64(out, tally.spool_full);
}

/// Reads field after field; the caller has checked that all of them are there.
class Fields {
 public:
    explicit Fields(packet::ByteView bytes) : bytes_(bytes) {}
    std::uint8_t u8() { return packet::load_u8(bytes_, advance(1)); }
    std::uint16_t u16() { return packet::load_u16(bytes_, advance(2)); }
    std::uint32_t u32() { return packet::load_u32(bytes_, advance(4)); }
    std::uint64_t u64() { return packet::load_u64(bytes_, advance(8)); }
    Instant time() { return Instant(std::chrono::nanoseconds(static_cast<std::int64_t>(u64()))); }
    packet::Endpoint endpoint() {
        const auto address = packet::IpAddress::load_v6(bytes_, advance(16));
        return {address, u16()};
    }
    [[nodiscard]] packet::ByteView rest() const { return bytes_.subspan(at_); }

 private:
    std::size_t advance(std::size_t bytes) { return std::exchange(at_, at_ + bytes); }
    packet::ByteView bytes_;
    std::size_t at_ = 0;
};

Result<StreamRecord> read_exchange(packet::ByteView bytes) {
    if (bytes.size() < kExchangeFixedBytes) {
        return fail(ErrorCode::kInvalidArgument, "an exchange record is too short for its fields");
    }
    Fields fields(bytes);
    Exchange exchange;
    exchange.connection = fields.u64();
    exchange.ordinal = fields.u32();
    exchange.client = fields.endpoint();
    exchange.server = fields.endpoint();
    exchange.request_begin = fields.time();
    exchange.request_end = fields.time();
    exchange.response_begin = fields.time();
    exchange.response_end = fields.time();
    const std::uint8_t end = fields.u8();
    if (end > static_cast<std::uint8_t>(ExchangeEnd::kClientClosed)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("an exchange record ends in way {}, which is none", end));
    }
    exchange.end = static_cast<ExchangeEnd>(end);
    exchange.status = fields.u16();
    exchange.response_bytes = fields.u64();
    packet::append(exchange.request, fields.rest());
    return StreamRecord(std::move(exchange));
}

Result<StreamRecord> read_record(packet::ByteView bytes) {
    const auto kind = static_cast<RecordKind>(packet::load_u8(bytes, 0));
    bytes = bytes.subspan(1);
    if (kind == RecordKind::kExchange) return read_exchange(bytes);
    Fields fields(bytes);
    if (kind == RecordKind::kConnectionEnd && bytes.size() == 16) {
        const std::uint64_t connection = fields.u64();
        return StreamRecord(ConnectionEnd{.connection = connection, .when = fields.time()});
    }
    if (kind == RecordKind::kTally && bytes.size() == 16) {
        const std::uint64_t capture_drop = fields.u64();
        return StreamRecord(Tally{.capture_drop = capture_drop, .spool_full = fields.u64()});
    }
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a record of kind {} and {} bytes is none of ours", static_cast<int>(kind), bytes.size()));
}
}  // namespace

packet::Buffer encode(const StreamRecord& record) {
    packet::Buffer out;
    packet::append_u32(out, 0);
    std::visit([&out](const auto& fields) { append_fields(out, fields); }, record);
    ASSERT(out.size() - kLengthBytes <= limits::kExchangeRecordBytesMax);
    const auto length = static_cast<std::uint32_t>(out.size() - kLengthBytes);
    packet::store_u16(out, 0, static_cast<std::uint16_t>(length >> 16U));
    packet::store_u16(out, 2, static_cast<std::uint16_t>(length & 0xffffU));
    return out;
}

void StreamDecoder::feed(packet::ByteView bytes) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(std::exchange(read_, 0)));
    packet::append(pending_, bytes);
}

Result<std::optional<StreamRecord>> StreamDecoder::next() {
    const packet::ByteView unread = packet::ByteView(pending_).subspan(read_);
    if (unread.size() < kLengthBytes) return std::optional<StreamRecord>();
    const std::size_t length = packet::load_u32(unread, 0);
    if (length == 0 || length > limits::kExchangeRecordBytesMax) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a record of {} bytes; 1 to {} are allowed", length, limits::kExchangeRecordBytesMax));
    }
    if (unread.size() < kLengthBytes + length) return std::optional<StreamRecord>();
    read_ += kLengthBytes + length;
    return std::optional<StreamRecord>(TRY(read_record(unread.subspan(kLengthBytes, length))));
}

}  // namespace penumbra::replay
