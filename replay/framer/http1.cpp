#include "replay/framer/http1.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits/traffic.hpp"

namespace penumbra::replay::framer {

namespace {
std::string_view text_of(packet::ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A line feed without its carriage return, or the reverse: readers differ on what it means.
bool has_bare_line_end(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] != '\n') return true;
    }
    return false;
}
}  // namespace

Http1Framer::Progress Http1Framer::malformed(std::size_t consumed) {
    state_ = State::kMalformed;
    return {.consumed = consumed, .status = Status::kMalformed};
}

Http1Framer::Progress Http1Framer::complete(std::size_t consumed) {
    state_ = State::kHead;
    line_.clear();
    return {.consumed = consumed, .status = Status::kComplete};
}

Http1Framer::Progress Http1Framer::feed(packet::ByteView bytes) {
    switch (state_) {
        case State::kHead:
            return feed_head(bytes);
        case State::kBody:
        case State::kChunkData:
            return feed_counted(bytes);
        case State::kChunkSize:
        case State::kChunkEnd:
        case State::kTrailer:
            return feed_line(bytes);
        case State::kUntilClose:
            return {.consumed = bytes.size(), .status = Status::kUntilClose};
        case State::kMalformed:
            break;
    }
    return malformed(0);
}

Http1Framer::Progress Http1Framer::feed_head(packet::ByteView bytes) {
    constexpr std::string_view kHeadEnd = "\r\n\r\n";
    const std::string_view text = text_of(bytes);
    const std::size_t room = limits::kHttpHeadBytesMax - line_.size();
    const std::size_t before = line_.size();
    line_.append(text.substr(0, room));
    const std::size_t end = line_.find(kHeadEnd, before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        if (text.size() > room || has_bare_line_end(line_)) return malformed(bytes.size());
        return {.consumed = bytes.size(), .status = Status::kNeedMore};
    }
    const std::size_t consumed = end + kHeadEnd.size() - before;
    const std::string_view head = std::string_view(line_).substr(0, end);
    if (has_bare_line_end(head)) return malformed(consumed);
    const HeadVerdict verdict =
        role_ == Role::kRequest ? read_request_head(head, head_) : read_response_head(head, head_);
    if (verdict == HeadVerdict::kMalformed) return malformed(consumed);
    line_.clear();
    left_ = head_.length;
    state_ = after_head();
    return {.consumed = consumed, .status = state_ == State::kHead ? Status::kComplete : Status::kHeadDone};
}

// RFC 9112 section 6.3, in its order. kHead: there is no body.
Http1Framer::State Http1Framer::after_head() const {
    if (role_ == Role::kResponse) {
        const unsigned status = head_.status;
        const bool tunnel = status == 101 || (request_method_ == "CONNECT" && status / 100 == 2);
        if (tunnel) return State::kUntilClose;
        if (request_method_ == "HEAD" || status / 100 == 1 || status == 204 || status == 304) return State::kHead;
        if (!head_.chunked && !head_.has_length) return State::kUntilClose;
    }
    if (head_.chunked) return State::kChunkSize;
    return head_.length > 0 ? State::kBody : State::kHead;
}

Http1Framer::Progress Http1Framer::feed_counted(packet::ByteView bytes) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= taken;
    if (left_ > 0) return {.consumed = taken, .status = Status::kNeedMore};
    if (state_ == State::kBody) return complete(taken);
    state_ = State::kChunkEnd;
    return {.consumed = taken, .status = Status::kNeedMore};
}

Http1Framer::Progress Http1Framer::feed_line(packet::ByteView bytes) {
    const std::string_view text = text_of(bytes);
    const std::size_t feed_at = text.find('\n');
    const std::size_t taken = feed_at == std::string_view::npos ? text.size() : feed_at + 1;
    if (line_.size() + taken > limits::kHttpLineBytesMax) return malformed(taken);
    line_.append(text.substr(0, taken));
    if (feed_at == std::string_view::npos) return {.consumed = taken, .status = Status::kNeedMore};
    if (line_.size() < 2 || has_bare_line_end(line_)) return malformed(taken);
    line_.resize(line_.size() - 2);
    const bool last = state_ == State::kTrailer && line_.empty();
    if (last) return complete(taken);
    if (!take_line()) return malformed(taken);
    line_.clear();
    return {.consumed = taken, .status = Status::kNeedMore};
}

bool Http1Framer::take_line() {
    if (state_ == State::kTrailer) return line_.find(':') != std::string::npos;
    if (state_ == State::kChunkEnd) {
        state_ = State::kChunkSize;
        return line_.empty();
    }
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(line_.data(), line_.data() + line_.size(), size, 16);
    const bool named = end != line_.data() && (end == line_.data() + line_.size() || *end == ';');
    if (error != std::errc() || !named) return false;
    left_ = size;
    state_ = size == 0 ? State::kTrailer : State::kChunkData;
    return true;
}

}  // namespace penumbra::replay::framer
