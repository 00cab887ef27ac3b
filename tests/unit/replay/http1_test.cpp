#include "replay/framer/http1.hpp"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/traffic.hpp"
#include "tests/unit/replay/recording_sink.hpp"

namespace penumbra::replay::framer {
namespace {

using replay::testing::view;
using Status = Http1Framer::Status;

struct Framed {
    Status status = Status::kNeedMore;
    std::size_t bytes = 0;  // up to the end of the first message, or all that was consumed
};

Framed frame(Http1Framer& framer, std::string_view text, std::size_t piece_bytes) {
    Framed framed;
    while (!text.empty()) {
        const auto [consumed, status] = framer.feed(view(text.substr(0, piece_bytes)));
        framed.bytes += consumed;
        framed.status = status;
        if (status == Status::kComplete || status == Status::kMalformed) return framed;
        text.remove_prefix(consumed);
    }
    return framed;
}

struct Row {
    const char* what;
    Http1Framer::Role role;
    const char* method;  // of the request a response answers
    std::string text;
    Status status;
    std::string rest;  // bytes that belong to what follows
};

constexpr auto kRequest = Http1Framer::Role::kRequest;
constexpr auto kResponse = Http1Framer::Role::kResponse;

// clang-format off
const std::vector<Row> kRows = {
    {"no body", kRequest, "", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Status::kComplete, "GET /2"},
    {"length", kRequest, "", "POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", Status::kComplete, "POST"},
    {"length zero", kRequest, "", "POST /x HTTP/1.1\r\ncontent-length: 0\r\n\r\n", Status::kComplete, "abc"},
    {"same length twice", kRequest, "", "POST /x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Status::kComplete, ""},
    {"chunked", kRequest, "", "POST /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", Status::kComplete, "GET"},
    {"chunked with trailer", kRequest, "", "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", Status::kComplete, "z"},
    {"http 1.0", kRequest, "", "GET / HTTP/1.0\r\n\r\n", Status::kComplete, ""},
    {"no reason phrase", kResponse, "GET", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", Status::kComplete, ""},
    {"head has no body", kResponse, "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", Status::kComplete, "HTTP"},
    {"204", kResponse, "GET", "HTTP/1.1 204 No Content\r\n\r\n", Status::kComplete, "HTTP"},
    {"304 with length", kResponse, "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Status::kComplete, "H"},
    {"100", kResponse, "POST", "HTTP/1.1 100 Continue\r\n\r\n", Status::kComplete, "HTTP/1.1 200 OK"},
    {"until close", kResponse, "GET", "HTTP/1.1 200 OK\r\n\r\nbody", Status::kUntilClose, ""},
    {"upgrade", kResponse, "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81", Status::kUntilClose, ""},
    {"connect", kResponse, "CONNECT", "HTTP/1.1 200 OK\r\n\r\nx", Status::kUntilClose, ""},
    {"half a head", kRequest, "", "GET / HTTP/1.1\r\nHost:", Status::kNeedMore, ""},
    // what two readers could take for two things
    {"length and chunked", kRequest, "", "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Status::kMalformed, ""},
    {"two lengths", kRequest, "", "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", Status::kMalformed, ""},
    {"list of lengths", kRequest, "", "POST / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc", Status::kMalformed, ""},
    {"signed length", kRequest, "", "POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", Status::kMalformed, ""},
    {"empty length", kRequest, "", "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", Status::kMalformed, ""},
    {"length past 64 bits", kRequest, "", "POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", Status::kMalformed, ""},
    {"another coding", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Status::kMalformed, ""},
    {"hidden coding", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", Status::kMalformed, ""},
    {"chunked twice", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Status::kMalformed, ""},
    {"chunked in 1.0", kRequest, "", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Status::kMalformed, ""},
    {"space before colon", kRequest, "", "POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc", Status::kMalformed, ""},
    {"folded line", kRequest, "", "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", Status::kMalformed, ""},
    {"bare line feed", kRequest, "", "GET / HTTP/1.1\nHost: a\r\n\r\n", Status::kMalformed, ""},
    {"bare carriage return", kRequest, "", "GET / HTTP/1.1\r\nX: a\rContent-Length: 3\r\n\r\n", Status::kMalformed, ""},
    {"nul in a value", kRequest, "", std::string("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 27), Status::kMalformed, ""},
    {"field without colon", kRequest, "", "GET / HTTP/1.1\r\nHost\r\n\r\n", Status::kMalformed, ""},
    {"two spaces", kRequest, "", "GET  / HTTP/1.1\r\n\r\n", Status::kMalformed, ""},
    {"http 2 preface", kRequest, "", "PRI * HTTP/2.0\r\n\r\n", Status::kMalformed, ""},
    {"tls", kRequest, "", "\x16\x03\x01\x02\n", Status::kMalformed, ""},
    {"chunk size with sign", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n", Status::kMalformed, ""},
    {"chunk size with prefix", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n", Status::kMalformed, ""},
    {"chunk with bare line feed", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n", Status::kMalformed, ""},
    {"chunk longer than it says", kRequest, "", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", Status::kMalformed, ""},
    {"status of two digits", kResponse, "GET", "HTTP/1.1 20 OK\r\n\r\n", Status::kMalformed, ""},
    {"status past 599", kResponse, "GET", "HTTP/1.1 600 Odd\r\n\r\n", Status::kMalformed, ""},
};
// clang-format on

TEST(Http1Framer, EndsEachMessageWhereRfc9112SaysAndRefusesTheRest) {
    for (const Row& row : kRows) {
        for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
            Http1Framer framer(row.role);
            framer.answer_to(row.method);
            const Framed framed = frame(framer, row.text + row.rest, piece_bytes);
            EXPECT_EQ(framed.status, row.status) << row.what << ", in pieces of " << piece_bytes;
            if (row.status == Status::kComplete) {
                EXPECT_EQ(framed.bytes, row.text.size()) << row.what << ", in pieces of " << piece_bytes;
            }
        }
    }
}

RC_GTEST_PROP(Http1Framer, AnyCutFramesTheSame, ()) {
    const Row row = kRows[*rc::gen::inRange<std::size_t>(0, kRows.size())];
    const std::string text = row.text + row.rest;
    const auto first = *rc::gen::inRange<std::size_t>(1, text.size() + 1);
    Http1Framer framer(row.role);
    framer.answer_to(row.method);
    Framed framed = frame(framer, text.substr(0, first), first);
    if (framed.status != Status::kComplete && framed.status != Status::kMalformed && first < text.size()) {
        const Framed more = frame(framer, text.substr(framed.bytes), text.size());
        framed = {more.status, framed.bytes + more.bytes};
    }
    RC_ASSERT(framed.status == row.status);
    if (row.status == Status::kComplete) RC_ASSERT(framed.bytes == row.text.size());
}

TEST(Http1Framer, KeepsItsBounds) {
    Http1Framer head(kRequest);
    const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(limits::kHttpHeadBytesMax, 'a');
    EXPECT_EQ(frame(head, endless, 1000).status, Status::kMalformed);
    Http1Framer chunk(kRequest);
    const std::string extension =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;" + std::string(limits::kHttpLineBytesMax, 'a');
    EXPECT_EQ(frame(chunk, extension, 1000).status, Status::kMalformed);
}

}  // namespace
}  // namespace penumbra::replay::framer
