#include "replay/half_stream.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/traffic.hpp"
#include "tests/unit/replay/recording_sink.hpp"

namespace penumbra::replay {
namespace {

using testing::text_of;
using testing::view;

/// What came out: bytes as they are, a missing one as '?'.
std::string drained(HalfStream& stream) {
    std::string out;
    while (const auto piece = stream.take()) {
        if (piece->kind == HalfStream::Kind::kData) out += text_of(piece->bytes);
        if (piece->kind == HalfStream::Kind::kGap) out += std::string(piece->gap_bytes, '?');
        if (piece->kind == HalfStream::Kind::kEnd) out += '$';
    }
    return out;
}

std::string any_text(std::size_t bytes_max) {
    const auto size = *rc::gen::inRange<std::size_t>(1, bytes_max);
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
        text += static_cast<char>('a' + i % 26);
    return text;
}

/// A sequence number of the SYN, often close to the wrap.
std::uint32_t any_start() {
    return *rc::gen::oneOf(rc::gen::arbitrary<std::uint32_t>(), rc::gen::map(rc::gen::inRange<std::uint32_t>(0, 600),
                                                                             [](std::uint32_t n) { return 0U - n; }));
}

struct Part {
    std::size_t offset = 0;
    std::size_t size = 0;
};

/// A cover of `size` bytes by pieces that may overlap, come twice and come in any order.
std::vector<Part> any_cover(std::size_t size) {
    std::vector<Part> parts;
    for (std::size_t at = 0; at < size;) {
        const std::size_t length = std::min<std::size_t>(size - at, *rc::gen::inRange<std::size_t>(1, 100));
        const std::size_t back = std::min<std::size_t>(at, *rc::gen::inRange<std::size_t>(0, 20));
        parts.push_back({at - back, length + back});
        if (*rc::gen::inRange(0, 4) == 0) parts.push_back(parts.back());
        at += length;
    }
    for (std::size_t i = parts.size(); i > 1; --i)
        std::swap(parts[i - 1], parts[*rc::gen::inRange<std::size_t>(0, i)]);
    return parts;
}

RC_GTEST_PROP(HalfStream, AnyCutOrderAndRepetitionGivesTheSameBytes, ()) {
    const std::string text = any_text(600);
    const std::uint32_t syn = any_start();
    HalfStream stream;
    stream.start(syn);
    std::string out;
    for (const Part& part : any_cover(text.size())) {
        const std::string payload = text.substr(part.offset, part.size);
        stream.accept(syn + 1 + static_cast<std::uint32_t>(part.offset), view(payload));
        out += drained(stream);
    }
    RC_ASSERT(out == text);
    RC_ASSERT(stream.buffered_bytes() == 0U);
}

RC_GTEST_PROP(HalfStream, WhatNeverCameIsAGapOfItsLengthOnceAcknowledged, ()) {
    const std::string text = any_text(600);
    const std::uint32_t syn = any_start();
    std::string expected(text.size(), '?');
    HalfStream stream;
    stream.start(syn);
    std::string out;
    for (const Part& part : any_cover(text.size())) {
        if (*rc::gen::inRange(0, 4) == 0) continue;
        expected.replace(part.offset, part.size, text.substr(part.offset, part.size));
        const std::string payload = text.substr(part.offset, part.size);
        stream.accept(syn + 1 + static_cast<std::uint32_t>(part.offset), view(payload));
        out += drained(stream);
    }
    stream.acknowledged(syn + 1 + static_cast<std::uint32_t>(text.size()));
    out += drained(stream);
    RC_ASSERT(out == expected);
}

TEST(HalfStream, BytesSeenFirstWinAnOverlap) {
    HalfStream stream;
    stream.start(0);
    const std::string early = "XY";
    stream.accept(3, view(early));  // bytes 2 and 3
    EXPECT_EQ(drained(stream), "");
    const std::string late = "abcdef";
    stream.accept(1, view(late));
    EXPECT_EQ(drained(stream), "abXYef");
}

TEST(HalfStream, AFinEndsItOnceEverythingBeforeItIsHere) {
    HalfStream stream;
    stream.start(9);
    stream.finish(13);
    EXPECT_EQ(drained(stream), "");
    const std::string text = "abc";
    stream.accept(10, view(text));
    EXPECT_EQ(drained(stream), "abc$");
    stream.finish(13);
    EXPECT_EQ(drained(stream), "");
}

TEST(HalfStream, AFullBufferMakesTheHoleAGap) {
    HalfStream stream;
    stream.start(0);
    const std::string chunk(32 * 1024, 'x');
    std::string out;
    std::uint32_t sequence = 11;  // ten bytes are missing
    while (out.empty()) {
        ASSERT_LE(stream.buffered_bytes(), limits::kOutOfOrderBytesMax);
        stream.accept(sequence, view(chunk));
        sequence += static_cast<std::uint32_t>(chunk.size());
        out = drained(stream);
    }
    EXPECT_EQ(out.substr(0, 11), "??????????x");
    EXPECT_EQ(out.size(), sequence - 1);
}

TEST(HalfStream, BeginsAtTheFirstSegmentWhenItJoinsUnderWay) {
    HalfStream stream;
    const std::string text = "tail";
    stream.accept(77, view(text));
    EXPECT_EQ(drained(stream), "tail");
}

TEST(HalfStream, IgnoresNumbersOutsideAnyWindow) {
    HalfStream stream;
    stream.start(0);
    const std::string text = "forged";
    stream.accept(0x60000000, view(text));
    stream.acknowledged(0x60000000);
    EXPECT_EQ(drained(stream), "");
    EXPECT_EQ(stream.buffered_bytes(), 0U);
}

}  // namespace
}  // namespace penumbra::replay
