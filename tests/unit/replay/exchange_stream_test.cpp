#include "replay/exchange_stream.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits/traffic.hpp"
#include "replay/report_stream.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/replay/recording_sink.hpp"

namespace penumbra::replay {
namespace {

using penumbra::testing::fails;

Instant any_instant() {
    return Instant(std::chrono::nanoseconds(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000'000)));
}

StreamRecord any_record() {
    const int kind = *rc::gen::inRange(0, 3);
    if (kind == 0) return ConnectionEnd{*rc::gen::arbitrary<std::uint64_t>(), any_instant()};
    if (kind == 1) return Tally{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
    Exchange exchange;
    exchange.connection = *rc::gen::arbitrary<std::uint64_t>();
    exchange.ordinal = *rc::gen::arbitrary<std::uint32_t>();
    exchange.client = {packet::IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>()), 40123};
    exchange.server = {packet::IpAddress::parse("2001:db8::5").value(), 80};
    exchange.request_begin = any_instant();
    exchange.response_end = any_instant();
    exchange.end = *rc::gen::element(ExchangeEnd::kAnswered, ExchangeEnd::kServerClosed, ExchangeEnd::kClientClosed);
    exchange.status = *rc::gen::inRange<std::uint16_t>(0, 600);
    exchange.request.resize(*rc::gen::inRange<std::size_t>(0, 300), std::byte{'x'});
    return exchange;
}

RC_GTEST_PROP(ExchangeStream, ComesApartAsItWasPutTogetherHoweverItIsCut, ()) {
    std::vector<StreamRecord> sent;
    packet::Buffer bytes;
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
        sent.push_back(any_record());
        packet::append(bytes, encode(sent.back()));
    }
    StreamDecoder decoder;
    std::vector<StreamRecord> got;
    const auto piece = *rc::gen::inRange<std::size_t>(1, 200);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        decoder.feed(packet::ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at)));
        while (auto record = decoder.next().value())
            got.push_back(std::move(*record));
    }
    RC_ASSERT(got == sent);
}

TEST(ExchangeStream, RefusesWhatIsNoneOfOurRecords) {
    const auto refused = [](const packet::Buffer& bytes) {
        StreamDecoder decoder;
        decoder.feed(bytes);
        return fails(decoder.next(), ErrorCode::kInvalidArgument);
    };
    packet::Buffer bytes;
    packet::append_u32(bytes, static_cast<std::uint32_t>(limits::kExchangeRecordBytesMax + 1));
    EXPECT_TRUE(refused(bytes));
    EXPECT_TRUE(refused({std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}}));
    bytes = encode(Tally{1, 2});
    bytes[4] = std::byte{9};
    EXPECT_TRUE(refused(bytes));
    bytes = encode(Exchange{});
    bytes[4] = std::byte{3};
    EXPECT_TRUE(refused(bytes));
}

RC_GTEST_PROP(ReportStream, AWindowComesApartAsItWasPutTogether, ()) {
    model::KpiWindow window{.sequence = *rc::gen::arbitrary<std::uint64_t>(),
                            .begin = WallTime(std::chrono::seconds(1'800'000'000)),
                            .length = std::chrono::seconds(1),
                            .requests = *rc::gen::arbitrary<std::uint64_t>(),
                            .errors = *rc::gen::arbitrary<std::uint64_t>(),
                            .ledger = {.captured = 7, .replayed = 4, .lost_timeout = 2, .lost_not_sent = 1}};
    for (int i = *rc::gen::inRange(0, 9); i > 0; --i)
        window.response_time.push_back({*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()});
    const packet::Buffer bytes = encode(window);
    const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
    ReportDecoder decoder;
    decoder.feed(packet::ByteView(bytes).first(cut));
    RC_ASSERT(!decoder.next().value().has_value());
    decoder.feed(packet::ByteView(bytes).subspan(cut));
    RC_ASSERT(decoder.next().value() == window);
}

TEST(ReportStream, RefusesWordsAndWindowsThatAreNone) {
    ReportDecoder decoder;
    packet::Buffer bytes;
    packet::append_u32(bytes, 12);
    decoder.feed(bytes);
    EXPECT_TRUE(fails(decoder.next(), ErrorCode::kInvalidArgument));
    EXPECT_EQ(read_agent_word(encode(AgentWord(Acknowledge{9}))).value(), AgentWord(Acknowledge{9}));
    EXPECT_EQ(read_agent_word(encode(AgentWord(SetRate{1.25}))).value(), AgentWord(SetRate{1.25}));
    EXPECT_TRUE(fails(read_agent_word(encode(AgentWord(SetRate{1e6}))), ErrorCode::kInvalidArgument));
    packet::Buffer word = encode(AgentWord(Acknowledge{9}));
    word[0] = std::byte{7};
    EXPECT_TRUE(fails(read_agent_word(word), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::replay
