#include "replay/half_stream.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits/traffic.hpp"

namespace penumbra::replay {

namespace {
// The first offset; far from zero, so that old sequence numbers unwrap to something smaller and not below it.
constexpr std::uint64_t kOrigin = std::uint64_t{1} << 33U;
// RFC 7323: no window is wider than 2^30. What lies further away belongs to another connection or is forged.
constexpr std::int64_t kWindowMax = std::int64_t{1} << 30U;
}  // namespace

void HalfStream::start(std::uint32_t syn_sequence) {
    *this = HalfStream();
    started_ = true;
    start_ = next_ = acknowledged_ = kOrigin + (syn_sequence + std::uint32_t{1});
}

bool HalfStream::is_same_start(std::uint32_t syn_sequence) const {
    return started_ && static_cast<std::uint32_t>(start_) == syn_sequence + std::uint32_t{1};
}

std::optional<std::uint64_t> HalfStream::offset_of(std::uint32_t sequence) const {
    const auto distance =
        static_cast<std::int64_t>(static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(next_)));
    if (distance > kWindowMax || distance < -kWindowMax) return std::nullopt;
    return next_ + static_cast<std::uint64_t>(distance);
}

void HalfStream::accept(std::uint32_t sequence, packet::ByteView payload) {
    if (!started_) {
        started_ = true;
        start_ = next_ = acknowledged_ = kOrigin + sequence;
    }
    auto offset = offset_of(sequence);
    if (!offset || payload.empty()) return;
    if (*offset < next_) {
        const std::uint64_t old_bytes = next_ - *offset;
        if (old_bytes >= payload.size()) return;
        payload = payload.subspan(static_cast<std::size_t>(old_bytes));
        offset = next_;
    }
    if (*offset != next_ || !direct_.empty()) {
        buffer(*offset, payload);
        return;
    }
    // In order: handed on without a copy, up to where something seen earlier begins.
    std::size_t direct_bytes = payload.size();
    if (!buffered_.empty()) {
        direct_bytes =
            static_cast<std::size_t>(std::min<std::uint64_t>(direct_bytes, buffered_.begin()->first - *offset));
    }
    direct_ = payload.first(direct_bytes);
    buffer(*offset + direct_bytes, payload.subspan(direct_bytes));
}

void HalfStream::buffer(std::uint64_t offset, packet::ByteView payload) {
    while (!payload.empty()) {
        // Skip what is covered by the piece at or before the offset, then fill the hole up to the next piece.
        const auto after = buffered_.upper_bound(offset);
        if (after != buffered_.begin()) {
            const auto before = std::prev(after);
            const std::uint64_t covered_to = before->first + before->second.size();
            if (covered_to > offset) {
                const auto covered =
                    static_cast<std::size_t>(std::min<std::uint64_t>(covered_to - offset, payload.size()));
                offset += covered;
                payload = payload.subspan(covered);
                continue;
            }
        }
        std::size_t room = payload.size();
        if (after != buffered_.end())
            room = static_cast<std::size_t>(std::min<std::uint64_t>(room, after->first - offset));
        buffered_.emplace_hint(after, offset,
                               packet::Buffer(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(room)));
        buffered_bytes_ += room;
        offset += room;
        payload = payload.subspan(room);
    }
}

void HalfStream::finish(std::uint32_t sequence_after_payload) {
    if (!started_) return;
    const auto offset = offset_of(sequence_after_payload);
    if (offset && *offset >= next_ && !end_) end_ = offset;
}

void HalfStream::acknowledged(std::uint32_t acknowledgement) {
    if (!started_) return;
    if (const auto offset = offset_of(acknowledgement)) acknowledged_ = std::max(acknowledged_, *offset);
}

bool HalfStream::over_limit() const {
    return buffered_bytes_ > limits::kOutOfOrderBytesMax || buffered_.size() > limits::kOutOfOrderSegmentsMax;
}

std::optional<HalfStream::Piece> HalfStream::take() {
    if (!direct_.empty()) {
        const packet::ByteView bytes = std::exchange(direct_, {});
        next_ += bytes.size();
        return Piece{.kind = Kind::kData, .bytes = bytes};
    }
    if (!buffered_.empty() && buffered_.begin()->first == next_) {
        taken_ = std::move(buffered_.begin()->second);
        buffered_.erase(buffered_.begin());
        buffered_bytes_ -= taken_.size();
        next_ += taken_.size();
        return Piece{.kind = Kind::kData, .bytes = taken_};
    }
    if (end_ && *end_ == next_) {
        if (std::exchange(end_taken_, true)) return std::nullopt;
        return Piece{.kind = Kind::kEnd};
    }
    std::uint64_t known_to = next_;
    if (over_limit()) known_to = buffered_.begin()->first;
    known_to = std::max(known_to, acknowledged_);
    if (!buffered_.empty()) known_to = std::min(known_to, buffered_.begin()->first);
    if (end_) known_to = std::min(known_to, *end_);
    if (known_to <= next_) return std::nullopt;
    const std::uint64_t gap_bytes = known_to - std::exchange(next_, known_to);
    return Piece{.kind = Kind::kGap, .gap_bytes = gap_bytes};
}

}  // namespace penumbra::replay
