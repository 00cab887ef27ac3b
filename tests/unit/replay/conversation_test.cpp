#include "replay/conversation.hpp"

#include <gtest/gtest.h>

#include "base/limits/traffic.hpp"
#include "tests/unit/replay/recording_sink.hpp"

namespace penumbra::replay {
namespace {

using testing::RecordingSink;
using testing::text_of;
using testing::view;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPost = "POST /order HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kDown = "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n";

Instant at(int milliseconds) {
    return Instant(std::chrono::milliseconds(milliseconds));
}

class ConversationTest : public ::testing::Test {
 protected:
    Conversation joined(Conversation::Joined how) { return {{.connection = 5}, how, sink_}; }
    RecordingSink sink_;
};

TEST_F(ConversationTest, PairsARequestWithItsResponseAndTheirTimes) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(kPost.substr(0, 20)), at(1));
    talk.client_data(view(kPost.substr(20)), at(2));
    talk.server_data(view(kOk.substr(0, 9)), at(5));
    talk.server_data(view(kOk.substr(9)), at(8));
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    const Exchange& exchange = sink_.exchanges.front();
    EXPECT_EQ(exchange.connection, 5U);
    EXPECT_EQ(text_of(exchange.request), kPost);
    EXPECT_EQ(exchange.status, 200);
    EXPECT_EQ(exchange.response_bytes, kOk.size());
    EXPECT_EQ(exchange.request_begin, at(1));
    EXPECT_EQ(exchange.request_end, at(2));
    EXPECT_EQ(exchange.response_begin, at(5));
    EXPECT_EQ(exchange.response_end, at(8));
    EXPECT_FALSE(exchange.is_error());
}

TEST_F(ConversationTest, PipelinedRequestsMeetTheirResponsesInOrder) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(std::string(kGet) + std::string(kPost)), at(1));
    talk.server_data(view(std::string(kDown) + std::string(kOk)), at(2));
    ASSERT_EQ(sink_.exchanges.size(), 2U);
    EXPECT_EQ(text_of(sink_.exchanges[0].request), kGet);
    EXPECT_EQ(sink_.exchanges[0].status, 503);
    EXPECT_TRUE(sink_.exchanges[0].is_error());
    EXPECT_EQ(text_of(sink_.exchanges[1].request), kPost);
    EXPECT_EQ(sink_.exchanges[1].status, 200);
    EXPECT_EQ(sink_.exchanges[1].ordinal, 1U);
}

TEST_F(ConversationTest, AContinueIsNotTheAnswer) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(kPost.substr(0, kPost.size() - 3)), at(1));
    talk.server_data(view("HTTP/1.1 100 Continue\r\n\r\n"), at(2));
    EXPECT_TRUE(sink_.exchanges.empty());
    talk.client_data(view("abc"), at(3));
    talk.server_data(view(kOk), at(4));
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    EXPECT_EQ(sink_.exchanges[0].status, 200);
}

TEST_F(ConversationTest, EmptyLinesBetweenRequestsBelongToNone) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view("\r\n" + std::string(kGet) + "\r\n"), at(1));
    talk.server_data(view(kOk), at(2));
    talk.client_data(view(kGet), at(3));
    talk.server_data(view(kOk), at(4));
    ASSERT_EQ(sink_.exchanges.size(), 2U);
    EXPECT_EQ(text_of(sink_.exchanges[1].request), kGet);
    EXPECT_EQ(sink_.exchanges[1].request_begin, at(3));
}

TEST_F(ConversationTest, AResponseUntilCloseEndsWithTheServersFin) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(kGet), at(1));
    talk.server_data(view("HTTP/1.0 200 OK\r\n\r\nhello"), at(2));
    EXPECT_TRUE(sink_.exchanges.empty());
    talk.server_end(at(3));
    talk.closed(ExchangeEnd::kServerClosed, at(4));
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    EXPECT_EQ(sink_.exchanges[0].end, ExchangeEnd::kAnswered);
    EXPECT_EQ(sink_.exchanges[0].response_end, at(3));
    EXPECT_EQ(sink_.ended, std::vector<std::uint64_t>{5});
}

TEST_F(ConversationTest, AServerThatClosesInsteadOfAnsweringIsAnError) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(kGet), at(1));
    talk.server_data(view(kOk.substr(0, 20)), at(2));
    talk.closed(ExchangeEnd::kServerClosed, at(3));
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    EXPECT_EQ(sink_.exchanges[0].end, ExchangeEnd::kServerClosed);
    EXPECT_EQ(sink_.exchanges[0].status, 0);
    EXPECT_TRUE(sink_.exchanges[0].is_error());
}

TEST_F(ConversationTest, ARequestCutShortIsNobodysExchange) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(kPost.substr(0, 30)), at(1));
    talk.closed(ExchangeEnd::kClientClosed, at(2));
    EXPECT_TRUE(sink_.exchanges.empty());
    EXPECT_TRUE(sink_.losses.empty());
}

TEST_F(ConversationTest, JoinedUnderWayItStartsAtTheNextRequestLineOfATurn) {
    Conversation talk = joined(Conversation::Joined::kUnderWay);
    talk.client_data(view("the tail of a body"), at(1));
    talk.client_data(view(kGet), at(2));  // not the start of a turn: may be the body's next segment
    talk.server_data(view(kOk), at(3));
    talk.client_data(view(kGet), at(4));
    talk.server_data(view(kOk), at(5));
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    EXPECT_EQ(sink_.exchanges[0].request_begin, at(4));
    EXPECT_TRUE(sink_.losses.empty());
}

TEST_F(ConversationTest, JoinedWhileIdleItMissesNothing) {
    Conversation talk = joined(Conversation::Joined::kUnderWay);
    talk.client_data(view(kGet), at(1));
    talk.server_data(view(kOk), at(2));
    EXPECT_EQ(sink_.exchanges.size(), 1U);
}

TEST_F(ConversationTest, AGapLosesWhatIsOpenAndTheNextTurnIsWhole) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view(std::string(kGet) + std::string(kPost)), at(1));
    talk.server_gap();
    EXPECT_EQ(sink_.losses, (std::vector<CaptureLoss>{CaptureLoss::kGap, CaptureLoss::kGap}));
    talk.server_data(view("rest of a response"), at(2));
    talk.client_data(view(kPost), at(3));
    talk.server_data(view(kOk), at(4));
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    EXPECT_EQ(text_of(sink_.exchanges[0].request), kPost);
}

TEST_F(ConversationTest, AGapBetweenExchangesCountsAsOne) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_gap();
    EXPECT_EQ(sink_.losses.size(), 1U);
}

TEST_F(ConversationTest, AnUpgradeIsOpaqueFromThenOn) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    talk.client_data(view("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"), at(1));
    talk.server_data(view("HTTP/1.1 101 Switching Protocols\r\n\r\n"), at(2));
    talk.client_data(view(kGet), at(3));
    talk.server_data(view(kOk), at(4));
    EXPECT_TRUE(talk.opaque());
    EXPECT_TRUE(sink_.exchanges.empty());
    EXPECT_EQ(sink_.losses, std::vector<CaptureLoss>{CaptureLoss::kUnsupported});
}

TEST_F(ConversationTest, ARequestTooLongIsLostAndTheNextOneIsNot) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    const std::string body(limits::kExchangeRequestBytesMax, 'x');
    talk.client_data(view("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"), at(1));
    talk.client_data(view(body), at(2));
    talk.server_data(view(kOk), at(3));
    talk.client_data(view(kGet), at(4));
    talk.server_data(view(kOk), at(5));
    EXPECT_EQ(sink_.losses, std::vector<CaptureLoss>{CaptureLoss::kUnsupported});
    ASSERT_EQ(sink_.exchanges.size(), 1U);
    EXPECT_EQ(text_of(sink_.exchanges[0].request), kGet);
}

TEST_F(ConversationTest, MoreOutstandingRequestsThanAllowedAreRefused) {
    Conversation talk = joined(Conversation::Joined::kAtStart);
    for (std::size_t i = 0; i <= limits::kPipelinedRequestsMax; ++i)
        talk.client_data(view(kGet), at(1));
    EXPECT_TRUE(talk.opaque());
    EXPECT_EQ(sink_.losses.size(), limits::kPipelinedRequestsMax);
}

}  // namespace
}  // namespace penumbra::replay
