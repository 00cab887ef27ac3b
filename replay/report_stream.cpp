#include "replay/report_stream.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/limits/traffic.hpp"

namespace penumbra::replay {

namespace {
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kBucketBytes = 16;
constexpr std::size_t kWindowFixedBytes = 5 * 8 + 8 * 8;
constexpr std::uint8_t kAcknowledge = 1;
constexpr std::uint8_t kSetRate = 2;
constexpr double kMillion = 1e6;

using Ledger = model::ReplayLedger;
constexpr std::array<std::uint64_t Ledger::*, 8> kLedgerFields = {
    &Ledger::captured,     &Ledger::replayed,     &Ledger::lost_capture_drop, &Ledger::lost_spool_full,
    &Ledger::lost_connect, &Ledger::lost_timeout, &Ledger::lost_reset,        &Ledger::lost_not_sent};
}  // namespace

packet::Buffer encode(const model::KpiWindow& window) {
    packet::Buffer out;
    const std::size_t length = kWindowFixedBytes + kBucketBytes * window.response_time.size();
    ASSERT(length <= limits::kKpiReportBytesMax);
    packet::append_u32(out, static_cast<std::uint32_t>(length));
    packet::append_u64(out, window.sequence);
    packet::append_u64(out, static_cast<std::uint64_t>(window.begin.time_since_epoch().count()));
    packet::append_u64(out, static_cast<std::uint64_t>(window.length.count()));
    packet::append_u64(out, window.requests);
    packet::append_u64(out, window.errors);
    for (const auto field : kLedgerFields)
        packet::append_u64(out, window.ledger.*field);
    for (const model::HistogramBucket& bucket : window.response_time) {
        packet::append_u64(out, bucket.value_us);
        packet::append_u64(out, bucket.count);
    }
    return out;
}

void ReportDecoder::feed(packet::ByteView bytes) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(std::exchange(read_, 0)));
    packet::append(pending_, bytes);
}

Result<std::optional<model::KpiWindow>> ReportDecoder::next() {
    const packet::ByteView unread = packet::ByteView(pending_).subspan(read_);
    if (unread.size() < kLengthBytes) return std::optional<model::KpiWindow>();
    const std::size_t length = packet::load_u32(unread, 0);
    if (length < kWindowFixedBytes || length > limits::kKpiReportBytesMax ||
        (length - kWindowFixedBytes) % kBucketBytes != 0) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a KPI window of {} bytes is none", length));
    }
    if (unread.size() < kLengthBytes + length) return std::optional<model::KpiWindow>();
    read_ += kLengthBytes + length;
    const packet::ByteView fields = unread.subspan(kLengthBytes, length);
    std::size_t at = 0;
    const auto u64 = [&] { return packet::load_u64(fields, std::exchange(at, at + 8)); };
    model::KpiWindow window;
    window.sequence = u64();
    window.begin = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(u64())));
    window.length = std::chrono::milliseconds(static_cast<std::int64_t>(u64()));
    window.requests = u64();
    window.errors = u64();
    for (const auto field : kLedgerFields)
        window.ledger.*field = u64();
    while (at < fields.size()) {
        const std::uint64_t value_us = u64();
        window.response_time.push_back({.value_us = value_us, .count = u64()});
    }
    return std::optional(std::move(window));
}

packet::Buffer encode(const AgentWord& word) {
    packet::Buffer out;
    if (const auto* acknowledge = std::get_if<Acknowledge>(&word)) {
        packet::append_u8(out, kAcknowledge);
        packet::append_u64(out, acknowledge->sequence);
    } else {
        packet::append_u8(out, kSetRate);
        packet::append_u64(out, static_cast<std::uint64_t>(std::llround(std::get<SetRate>(word).rate * kMillion)));
    }
    return out;
}

Result<AgentWord> read_agent_word(packet::ByteView bytes) {
    ASSERT(bytes.size() == kAgentWordBytes);
    const std::uint8_t kind = packet::load_u8(bytes, 0);
    const std::uint64_t value = packet::load_u64(bytes, 1);
    if (kind == kAcknowledge) return AgentWord(Acknowledge{value});
    const double rate = static_cast<double>(value) / kMillion;
    if (kind == kSetRate && rate <= limits::kRateMultipleMax) return AgentWord(SetRate{rate});
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a word of kind {} and value {} is none of ours", kind, value));
}

}  // namespace penumbra::replay
