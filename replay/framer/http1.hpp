#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "packet/bytes.hpp"

namespace penumbra::replay::framer {

/// What a message's head says about its framing (RFC 9112 section 6).
struct Http1Head {
    std::string method;        ///< of a request
    std::uint16_t status = 0;  ///< of a response
    unsigned minor_version = 1;
    bool chunked = false;
    bool has_length = false;
    std::uint64_t length = 0;
    bool close = false;    ///< Connection: close
    bool upgrade = false;  ///< an Upgrade field, or CONNECT
};

enum class HeadVerdict : unsigned char { kGood, kMalformed };
/// Reads a head without its final empty line. Refuses what two readers could take for two things: a length beside
/// chunked, differing lengths, folded lines, bare CR or LF, space before a colon.
[[nodiscard]] HeadVerdict read_request_head(std::string_view head, Http1Head& into);
[[nodiscard]] HeadVerdict read_response_head(std::string_view head, Http1Head& into);

/// Finds where messages end in one direction of an HTTP/1.1 connection, streaming. Pure; keeps no body, at most
/// kHttpHeadBytesMax of a head and kHttpLineBytesMax of a chunk line or trailer.
class Http1Framer {
 public:
    enum class Role : unsigned char { kRequest, kResponse };
    enum class Status : unsigned char {
        kNeedMore,    ///< the message goes on; feed what was not consumed, then what comes
        kHeadDone,    ///< head() may be read; feed the rest again
        kComplete,    ///< the message ends after `consumed`; feed the rest for the next one
        kUntilClose,  ///< everything was consumed; the message ends with the connection
        kMalformed,   ///< not HTTP/1.1, or not unambiguous; stays so
    };
    struct Progress {
        std::size_t consumed = 0;
        Status status = Status::kNeedMore;
    };

    explicit Http1Framer(Role role) : role_(role) {}
    /// Before a response: what the request was. HEAD has no body; CONNECT that succeeds has no end.
    void answer_to(std::string_view method) { request_method_ = method; }
    [[nodiscard]] Progress feed(packet::ByteView bytes);
    [[nodiscard]] const Http1Head& head() const noexcept { return head_; }
    /// No byte of a message was consumed since the last one was complete.
    [[nodiscard]] bool idle() const noexcept { return state_ == State::kHead && line_.empty(); }

 private:
    enum class State : unsigned char {
        kHead,
        kBody,
        kChunkSize,
        kChunkData,
        kChunkEnd,
        kTrailer,
        kUntilClose,
        kMalformed
    };
    [[nodiscard]] Progress feed_head(packet::ByteView bytes);
    [[nodiscard]] Progress feed_counted(packet::ByteView bytes);
    [[nodiscard]] Progress feed_line(packet::ByteView bytes);
    [[nodiscard]] bool take_line();
    [[nodiscard]] State after_head() const;
    [[nodiscard]] Progress malformed(std::size_t consumed);
    [[nodiscard]] Progress complete(std::size_t consumed);

    Role role_;
    State state_ = State::kHead;
    Http1Head head_;
    std::string request_method_;
    std::string line_;        // the head so far, or a chunk line or trailer so far
    std::uint64_t left_ = 0;  // of a body or chunk
};

}  // namespace penumbra::replay::framer
