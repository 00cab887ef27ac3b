#include "replay/reassembly.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/transport.hpp"
#include "tests/unit/replay/recording_sink.hpp"

namespace penumbra::replay {
namespace {

using packet::IpAddress;
using packet::TcpSegment;
using testing::RecordingSink;
using testing::text_of;
using testing::view;
namespace tcp_flag = packet::tcp_flag;

const packet::Endpoint kServer{IpAddress::v4(0x0a000005), 80};
const packet::Endpoint kClient{IpAddress::v4(0xcb007107), 40123};

/// One connection's segments as a kernel would send them, in the order in which they cross the wire.
class Wire {
 public:
    explicit Wire(std::uint32_t client_start, packet::Endpoint client = kClient)
        : client_endpoint_(client), client_(client_start), server_(client_start ^ 0x55555555U) {}

    void handshake() {
        push(true, tcp_flag::kSyn, "");
        ++client_;
        push(false, tcp_flag::kSyn | tcp_flag::kAck, "");
        ++server_;
        push(true, tcp_flag::kAck, "");
    }
    void say(bool from_client, const std::string& text) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = std::min<std::size_t>(text.size() - at, *rc::gen::inRange<std::size_t>(1, 60));
            push(from_client, tcp_flag::kAck, text.substr(at, size));
            (from_client ? client_ : server_) += static_cast<std::uint32_t>(size);
            at += size;
        }
        push(!from_client, tcp_flag::kAck, "");
    }
    void close() {
        push(true, tcp_flag::kFin | tcp_flag::kAck, "");
        ++client_;
        push(false, tcp_flag::kFin | tcp_flag::kAck, "");
        ++server_;
        push(true, tcp_flag::kAck, "");
    }

    struct Sent {
        TcpSegment segment;
        std::string payload;
    };
    std::vector<Sent> sent;

 private:
    void push(bool from_client, unsigned flags, std::string payload) {
        TcpSegment segment{.source = from_client ? client_endpoint_ : kServer,
                           .destination = from_client ? kServer : client_endpoint_,
                           .sequence = from_client ? client_ : server_,
                           .acknowledgement = from_client ? server_ : client_,
                           .flags = static_cast<std::uint8_t>(flags)};
        sent.push_back({segment, std::move(payload)});
    }
    packet::Endpoint client_endpoint_;
    std::uint32_t client_;
    std::uint32_t server_;
};

void deliver(Reassembly& reassembly, const Wire::Sent& sent, int step) {
    TcpSegment segment = sent.segment;
    segment.payload = view(sent.payload);
    reassembly.segment(segment, Instant(std::chrono::milliseconds(step)));
}

std::vector<std::string> any_requests() {
    std::vector<std::string> requests;
    const auto count = *rc::gen::inRange<std::size_t>(1, 8);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string body(*rc::gen::inRange<std::size_t>(0, 200), static_cast<char>('a' + i));
        requests.push_back("POST /" + std::to_string(i) +
                           " HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    return requests;
}

Wire conversation_of(const std::vector<std::string>& requests, std::uint32_t start) {
    Wire wire(start);
    wire.handshake();
    for (const std::string& request : requests) {
        wire.say(true, request);
        wire.say(false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    }
    wire.close();
    return wire;
}

std::uint32_t any_start() {
    return *rc::gen::oneOf(rc::gen::arbitrary<std::uint32_t>(), rc::gen::just<std::uint32_t>(0xffffff80U));
}

RC_GTEST_PROP(Reassembly, DuplicationAndRetransmissionChangeNothing, ()) {
    const auto requests = any_requests();
    const Wire wire = conversation_of(requests, any_start());
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}}, sink);
    for (std::size_t i = 0; i < wire.sent.size(); ++i) {
        deliver(reassembly, wire.sent[i], static_cast<int>(i));
        const std::size_t back = *rc::gen::inRange<std::size_t>(0, 4);
        if (*rc::gen::inRange(0, 3) == 0 && back <= i) deliver(reassembly, wire.sent[i - back], static_cast<int>(i));
    }
    RC_ASSERT(sink.losses.empty());
    RC_ASSERT(sink.exchanges.size() == requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i)
        RC_ASSERT(text_of(sink.exchanges[i].request) == requests[i]);
    RC_ASSERT(reassembly.connections() == 0U);
}

// The mirror drops segments, whatever they carry: each exchange is exact, or it is not there. Never a wrong one.
RC_GTEST_PROP(Reassembly, DroppedSegmentsNeverMakeAWrongExchange, ()) {
    const auto requests = any_requests();
    const Wire wire = conversation_of(requests, any_start());
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}}, sink);
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < wire.sent.size(); ++i) {
        if (*rc::gen::inRange(0, 12) == 0) {
            ++dropped;
        } else {
            deliver(reassembly, wire.sent[i], static_cast<int>(i));
        }
    }
    reassembly.expire(Instant(std::chrono::hours(1)), std::chrono::minutes(1));
    for (const Exchange& exchange : sink.exchanges)
        RC_ASSERT(std::ranges::find(requests, text_of(exchange.request)) != requests.end());
    RC_ASSERT(sink.exchanges.size() <= requests.size());
    if (dropped == 0) RC_ASSERT(sink.exchanges.size() == requests.size());
    RC_ASSERT(reassembly.connections() == 0U);
}

RC_GTEST_PROP(Reassembly, JoinedAnywhereItSeesOnlyWholeExchangesAndTheLastOnes, ()) {
    const auto requests = any_requests();
    const Wire wire = conversation_of(requests, any_start());
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}}, sink);
    for (std::size_t i = *rc::gen::inRange<std::size_t>(0, wire.sent.size()); i < wire.sent.size(); ++i)
        deliver(reassembly, wire.sent[i], static_cast<int>(i));
    RC_ASSERT(sink.losses.empty());
    const std::size_t seen = sink.exchanges.size();
    RC_ASSERT(seen <= requests.size());
    for (std::size_t i = 0; i < seen; ++i)
        RC_ASSERT(text_of(sink.exchanges[i].request) == requests[requests.size() - seen + i]);
}

TEST(Reassembly, LooksAtNothingButTheGroupsServers) {
    RecordingSink sink;
    Reassembly reassembly({.servers = {{IpAddress::v4(0x0a000006), 80}}}, sink);
    deliver(reassembly, {{.source = kClient, .destination = kServer, .flags = tcp_flag::kSyn}, ""}, 0);
    EXPECT_EQ(reassembly.counters().other_segments, 1U);
    EXPECT_EQ(reassembly.connections(), 0U);
}

TEST(Reassembly, TheConnectionIdleForLongestMakesRoom) {
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}, .connections_max = 2}, sink);
    for (std::uint16_t port = 1; port <= 3; ++port) {
        const packet::Endpoint client{kClient.address, port};
        deliver(reassembly, {{.source = client, .destination = kServer, .flags = tcp_flag::kSyn}, ""}, port);
        deliver(reassembly, {{.source = client, .destination = kServer, .sequence = 1}, "GET / HTTP/1.1\r\n\r\n"},
                port);
    }
    EXPECT_EQ(reassembly.connections(), 2U);
    EXPECT_EQ(reassembly.counters().evicted, 1U);
    EXPECT_EQ(sink.losses, std::vector<CaptureLoss>{CaptureLoss::kEvicted});
    EXPECT_EQ(sink.ended, std::vector<std::uint64_t>{1});
}

TEST(Reassembly, AnEcnSynOpensAConnectionAndItsRepetitionDoesNotOpenASecond) {
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}}, sink);
    const Wire::Sent syn{{.source = kClient, .destination = kServer, .sequence = 7, .flags = 0xc2}, ""};
    deliver(reassembly, syn, 0);
    deliver(reassembly, syn, 1);
    EXPECT_EQ(reassembly.counters().connections, 1U);
}

TEST(Reassembly, PortsUsedAgainAreANewConnection) {
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}}, sink);
    deliver(reassembly, {{.source = kClient, .destination = kServer, .sequence = 7, .flags = tcp_flag::kSyn}, ""}, 0);
    deliver(reassembly, {{.source = kClient, .destination = kServer, .sequence = 9, .flags = tcp_flag::kSyn}, ""}, 1);
    EXPECT_EQ(reassembly.counters().connections, 2U);
    EXPECT_EQ(reassembly.connections(), 1U);
    EXPECT_EQ(sink.ended, std::vector<std::uint64_t>{1});
}

TEST(Reassembly, AResetEndsWhatIsOpenByWhoSentIt) {
    RecordingSink sink;
    Reassembly reassembly({.servers = {kServer}}, sink);
    deliver(reassembly, {{.source = kClient, .destination = kServer, .flags = tcp_flag::kSyn}, ""}, 0);
    deliver(reassembly, {{.source = kClient, .destination = kServer, .sequence = 1}, "GET / HTTP/1.1\r\n\r\n"}, 1);
    deliver(reassembly, {{.source = kServer, .destination = kClient, .flags = tcp_flag::kRst}, ""}, 2);
    ASSERT_EQ(sink.exchanges.size(), 1U);
    EXPECT_EQ(sink.exchanges[0].end, ExchangeEnd::kServerClosed);
}

}  // namespace
}  // namespace penumbra::replay
