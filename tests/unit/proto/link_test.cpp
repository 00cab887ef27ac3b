// What an attacker on the management network can try against the real sockets (research: seven facts).

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zmq.h>

#include "base/limits/sockets.hpp"
#include "base/unique_fd.hpp"
#include "proto/zmq/client.hpp"
#include "proto/zmq/server.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::zmq {
namespace {

using keys::KeyPair;
using namespace std::chrono_literals;
using testing::is_ok;
using testing::turn_until;

class LinkTest : public ::testing::Test {
 protected:
    LinkTest() {
        server_ = std::move(*FleetServer::create(*loop_, *gate_, keys_, {.endpoint = "tcp://127.0.0.1:0"}));
        server_->on_message(
            [this](const keys::PublicKey& peer, std::string_view bytes) { heard_.emplace_back(peer, bytes); });
    }
    std::unique_ptr<FleetClient> client(KeyPair keys) {
        return std::move(*FleetClient::create(*loop_, std::move(keys),
                                              {.endpoint = server_->endpoint(), .server_key = keys_.public_key()}));
    }
    int port() const {
        const std::string endpoint = server_->endpoint();
        return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
    }
    // A plain TCP connection to the server; `bytes` are sent.
    UniqueFd raw(std::string_view bytes) const {
        UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port()));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
        return fd;
    }
    // True once the server closed the connection.
    bool cut(const UniqueFd& fd) {
        return turn_until(*loop_, [&] {
            char buffer[256];
            const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            return count == 0 || (count < 0 && errno == ECONNRESET);
        });
    }

    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    std::unique_ptr<Gate> gate_ = std::move(*Gate::create());
    KeyPair keys_ = KeyPair::generate();
    std::unique_ptr<FleetServer> server_;
    std::vector<std::pair<keys::PublicKey, std::string>> heard_;
};

// Fact 1: libzmq 4.3.4 admits everybody when nobody answers ZAP, unless option 93 is set.
TEST_F(LinkTest, NobodyIsAdmittedWhenTheGateIsDead) {
    KeyPair admitted = KeyPair::generate();
    gate_->admit("fleet", {admitted.public_key()});
    gate_->stop();
    const auto known = client(std::move(admitted));
    const auto stranger = client(KeyPair::generate());
    ASSERT_TRUE(is_ok(known->send("x")));  // waits in the socket for a handshake
    ASSERT_TRUE(is_ok(stranger->send("x")));
    // Not even a handshake: that such a message would have no User-Id, and be dropped, is the second wall.
    EXPECT_FALSE(turn_until(*loop_, [&] { return server_->dropped() > 0 || !heard_.empty(); }, 1500ms));
}

// Fact 2: a peer that takes another's routing id, with a key of its own, is heard under its own key and gets nothing of
// the other's.
TEST_F(LinkTest, ARoutingIdIsNotAnIdentity) {
    KeyPair honest = KeyPair::generate();
    KeyPair thief = KeyPair::generate();
    const keys::PublicKey honest_key = honest.public_key();
    const keys::PublicKey thief_key = thief.public_key();
    gate_->admit("fleet", {honest_key, thief_key});
    const auto agent = client(std::move(honest));
    std::vector<std::string> orders;
    agent->on_message([&](std::string_view bytes) { orders.emplace_back(bytes); });
    ASSERT_TRUE(turn_until(*loop_, [&] { return agent->send("hello").has_value(); }));
    ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));

    const ContextHandle context(zmq_ctx_new());
    const SocketHandle socket(zmq_socket(context.get(), ZMQ_DEALER));
    const int zero = 0;
    zmq_setsockopt(socket.get(), ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket.get(), ZMQ_ROUTING_ID, honest_key.z85().data(), honest_key.z85().size());
    zmq_setsockopt(socket.get(), ZMQ_CURVE_SERVERKEY, keys_.public_key().z85().data(), 40);
    zmq_setsockopt(socket.get(), ZMQ_CURVE_PUBLICKEY, thief_key.z85().data(), 40);
    zmq_setsockopt(socket.get(), ZMQ_CURVE_SECRETKEY, thief.secret().data(), thief.secret().size());
    ASSERT_EQ(zmq_connect(socket.get(), server_->endpoint().c_str()), 0);
    ASSERT_EQ(zmq_send(socket.get(), "i am the agent", 14, 0), 14);
    ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 2; }));
    EXPECT_EQ(heard_[1].first, thief_key);
    ASSERT_TRUE(is_ok(server_->send(honest_key, "order")));
    ASSERT_TRUE(turn_until(*loop_, [&] { return orders.size() == 1; }));
    char buffer[16];
    EXPECT_EQ(zmq_recv(socket.get(), buffer, sizeof buffer, ZMQ_DONTWAIT), -1);
}

// Fact 4: one handshake frame that claims 64 MiB, before any key was seen, is cut instead of stored.
TEST_F(LinkTest, AnOversizeFrameBeforeTheHandshakeIsCut) {
    std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01", 12);
    greeting += std::string("CURVE") + std::string(15, '\0');
    greeting += std::string(32, '\0');
    std::string frame("\x06", 1);  // long command frame
    const std::uint64_t claimed = 64ULL << 20U;
    for (int i = 7; i >= 0; --i)
        frame += static_cast<char>(claimed >> (8 * i));
    const UniqueFd fd = raw(greeting + frame + std::string(1024, 'x'));
    EXPECT_TRUE(cut(fd));
}

TEST_F(LinkTest, GarbageIsCut) {
    EXPECT_TRUE(cut(raw(std::string(64, 'G'))));
}

TEST_F(LinkTest, MessagesOfOtherThanTwoFramesAreDroppedAndCounted) {
    KeyPair pair = KeyPair::generate();
    gate_->admit("fleet", {pair.public_key()});
    const ContextHandle context(zmq_ctx_new());
    const SocketHandle socket(zmq_socket(context.get(), ZMQ_DEALER));
    const int zero = 0;
    zmq_setsockopt(socket.get(), ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket.get(), ZMQ_CURVE_SERVERKEY, keys_.public_key().z85().data(), 40);
    zmq_setsockopt(socket.get(), ZMQ_CURVE_PUBLICKEY, pair.public_key().z85().data(), 40);
    zmq_setsockopt(socket.get(), ZMQ_CURVE_SECRETKEY, pair.secret().data(), pair.secret().size());
    ASSERT_EQ(zmq_connect(socket.get(), server_->endpoint().c_str()), 0);
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ(zmq_send(socket.get(), "x", 1, ZMQ_SNDMORE), 1);
    ASSERT_EQ(zmq_send(socket.get(), "x", 1, 0), 1);
    ASSERT_EQ(zmq_send(socket.get(), "one", 3, 0), 3);
    ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));
    EXPECT_EQ(heard_[0].second, "one");
    EXPECT_EQ(server_->dropped(), 1);
}

// A coordinator without the secret half of the key the agent was enrolled with cannot speak to it.
TEST_F(LinkTest, AForgedCoordinatorIsRefusedByTheAgent) {
    KeyPair pair = KeyPair::generate();
    gate_->admit("fleet", {pair.public_key()});
    const auto agent = std::move(*FleetClient::create(
        *loop_, std::move(pair), {.endpoint = server_->endpoint(), .server_key = KeyPair::generate().public_key()}));
    bool heard = false;
    agent->on_message([&](std::string_view) { heard = true; });
    ASSERT_TRUE(is_ok(agent->send("hello")));  // waits in the socket for a handshake
    EXPECT_FALSE(turn_until(*loop_, [&] { return heard || server_->dropped() > 0 || !heard_.empty(); }, 1500ms));
    EXPECT_TRUE(heard_.empty());
}

TEST_F(LinkTest, TheEnrolmentSocketAdmitsAnyKeyAndSaysWhich) {
    gate_->admit_any("enrol");
    const auto enrol = std::move(*FleetServer::create(
        *loop_, *gate_, keys_,
        {.endpoint = "tcp://127.0.0.1:0", .domain = "enrol", .message_bytes_max = limits::kEnrolBytesMax}));
    std::vector<keys::PublicKey> asked;
    enrol->on_message([&](const keys::PublicKey& peer, std::string_view) { asked.push_back(peer); });
    KeyPair pair = KeyPair::generate();
    const keys::PublicKey key = pair.public_key();
    const auto newcomer = std::move(*FleetClient::create(
        *loop_, std::move(pair), {.endpoint = enrol->endpoint(), .server_key = keys_.public_key()}));
    ASSERT_TRUE(turn_until(*loop_, [&] { return newcomer->send("token").has_value(); }));
    ASSERT_TRUE(turn_until(*loop_, [&] { return asked.size() == 1; }));
    EXPECT_EQ(asked[0], key);
}

TEST_F(LinkTest, AnEndpointInUseIsAClearError) {
    const auto second = FleetServer::create(*loop_, *gate_, keys_, {.endpoint = server_->endpoint()});
    EXPECT_TRUE(testing::fails(second, ErrorCode::kConflict, "Address already in use"));
}

}  // namespace
}  // namespace penumbra::zmq
