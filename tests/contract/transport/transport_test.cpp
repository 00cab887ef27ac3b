// One suite on the fake network and on CURVE over loopback: what both ends of the fleet link promise.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proto/zmq/client.hpp"
#include "proto/zmq/fake/link.hpp"
#include "proto/zmq/server.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::zmq {
namespace {

using keys::KeyPair;
using testing::fails;
using testing::is_ok;
using testing::turn_until;

/// A world with one server and as many agents as a test asks for.
class World {
 public:
    World() : loop(std::move(*EventLoop::create())) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    World(World&&) = delete;
    World& operator=(World&&) = delete;
    virtual ~World() = default;
    virtual std::unique_ptr<ServerLink> server() = 0;
    virtual std::unique_ptr<ClientLink> client(KeyPair keys) = 0;
    virtual void admit(std::set<keys::PublicKey> keys) = 0;

    std::unique_ptr<EventLoop> loop;
};

class FakeWorld final : public World {
 public:
    std::unique_ptr<ServerLink> server() override { return network_.server(); }
    std::unique_ptr<ClientLink> client(KeyPair keys) override { return network_.client(keys.public_key()); }
    void admit(std::set<keys::PublicKey> keys) override { network_.admit(std::move(keys)); }

 private:
    fake::Network network_{*loop};
};

class RealWorld final : public World {
 public:
    std::unique_ptr<ServerLink> server() override {
        auto made = std::move(*FleetServer::create(*loop, *gate_, keys_, {.endpoint = "tcp://127.0.0.1:0"}));
        endpoint_ = made->endpoint();
        return made;
    }
    std::unique_ptr<ClientLink> client(KeyPair keys) override {
        return std::move(
            *FleetClient::create(*loop, std::move(keys), {.endpoint = endpoint_, .server_key = keys_.public_key()}));
    }
    void admit(std::set<keys::PublicKey> keys) override { gate_->admit("fleet", std::move(keys)); }

 private:
    std::unique_ptr<Gate> gate_ = std::move(*Gate::create());
    KeyPair keys_ = KeyPair::generate();
    std::string endpoint_;
};

template <class T>
class Transport : public ::testing::Test {
 protected:
    Transport() : server_(world_.server()) {
        server_->on_message(
            [this](const keys::PublicKey& peer, std::string_view bytes) { heard_.emplace_back(peer, bytes); });
    }
    bool send_when_connected(ClientLink& client, std::string_view bytes) {
        return turn_until(*world_.loop, [&] { return client.send(bytes).has_value(); });
    }

    T world_;
    std::unique_ptr<ServerLink> server_;
    std::vector<std::pair<keys::PublicKey, std::string>> heard_;
};
using Worlds = ::testing::Types<FakeWorld, RealWorld>;
TYPED_TEST_SUITE(Transport, Worlds);

TYPED_TEST(Transport, APeerIsHeardUnderItsKeyAndAnswered) {
    KeyPair keys = KeyPair::generate();
    const keys::PublicKey peer = keys.public_key();
    this->world_.admit({peer});
    const auto client = this->world_.client(std::move(keys));
    std::vector<std::string> answers;
    client->on_message([&](std::string_view bytes) { answers.emplace_back(bytes); });
    ASSERT_TRUE(this->send_when_connected(*client, "hello"));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return this->heard_.size() == 1; }));
    EXPECT_EQ(this->heard_[0], std::pair(peer, std::string("hello")));
    ASSERT_TRUE(is_ok(this->server_->send(peer, "welcome")));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return answers.size() == 1; }));
    EXPECT_EQ(answers[0], "welcome");
}

TYPED_TEST(Transport, ManyMessagesArriveWholeAndInOrder) {
    KeyPair keys = KeyPair::generate();
    this->world_.admit({keys.public_key()});
    const auto client = this->world_.client(std::move(keys));
    constexpr std::size_t kMessages = 2000;
    std::size_t sent = 0;
    ASSERT_TRUE(turn_until(
        *this->world_.loop,
        [&] {
            while (sent < kMessages && sent < this->heard_.size() + 32 &&
                   client->send(std::to_string(sent)).has_value())
                ++sent;
            return this->heard_.size() == kMessages;
        },
        std::chrono::seconds(30)));
    for (std::size_t i = 0; i < kMessages; ++i)
        ASSERT_EQ(this->heard_[i].second, std::to_string(i));
}

TYPED_TEST(Transport, AKeyThatIsNotAdmittedIsNotHeard) {
    KeyPair good = KeyPair::generate();
    this->world_.admit({good.public_key()});
    const keys::PublicKey admitted = good.public_key();
    const auto stranger = this->world_.client(KeyPair::generate());
    const auto client = this->world_.client(std::move(good));
    // Whether it may put words into its own queue is its affair: between two attempts to connect there is room.
    static_cast<void>(stranger->send("let me in").has_value());
    ASSERT_TRUE(this->send_when_connected(*client, "hello"));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return !this->heard_.empty(); }));
    static_cast<void>(stranger->send("still").has_value());
    ASSERT_TRUE(is_ok(client->send("again")));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return this->heard_.back().second == "again"; }));
    for (const auto& [key, bytes] : this->heard_)
        EXPECT_EQ(key, admitted) << bytes;
    EXPECT_EQ(this->heard_.size(), 2U);
}

TYPED_TEST(Transport, AKeyTakenBackIsNeitherHeardNorAnswered) {
    KeyPair keys = KeyPair::generate();
    const keys::PublicKey peer = keys.public_key();
    KeyPair other = KeyPair::generate();
    this->world_.admit({peer, other.public_key()});
    const auto client = this->world_.client(std::move(keys));
    const auto second = this->world_.client(KeyPair(std::move(other)));
    ASSERT_TRUE(this->send_when_connected(*client, "one"));
    ASSERT_TRUE(this->send_when_connected(*second, "ready"));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return this->heard_.size() == 2; }));
    std::set<keys::PublicKey> left{this->heard_[0].first, this->heard_[1].first};
    left.erase(peer);
    this->world_.admit(left);
    static_cast<void>(client->send("two").has_value());
    ASSERT_TRUE(is_ok(second->send("three")));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return this->heard_.back().second == "three"; }));
    for (const auto& [key, bytes] : this->heard_)
        EXPECT_NE(bytes, "two");
    EXPECT_TRUE(fails(this->server_->send(peer, "x"), ErrorCode::kUnavailable));
}

TYPED_TEST(Transport, ASilentPeerIsUnavailable) {
    const keys::PublicKey peer = KeyPair::generate().public_key();
    this->world_.admit({peer});
    EXPECT_TRUE(fails(this->server_->send(peer, "anybody"), ErrorCode::kUnavailable, "not connected"));
}

TYPED_TEST(Transport, APeerMayReconnectFromInsideItsOwnMessage) {
    KeyPair keys = KeyPair::generate();
    const keys::PublicKey peer = keys.public_key();
    this->world_.admit({peer});
    const auto client = this->world_.client(std::move(keys));
    int answers = 0;
    client->on_message([&](std::string_view) {
        ++answers;
        EXPECT_TRUE(is_ok(client->reconnect()));
    });
    for (int round = 1; round <= 3; ++round) {
        ASSERT_TRUE(this->send_when_connected(*client, "hello"));
        ASSERT_TRUE(
            turn_until(*this->world_.loop, [&] { return this->heard_.size() == static_cast<std::size_t>(round); }));
        ASSERT_TRUE(is_ok(this->server_->send(peer, "reset")));
        ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return answers == round; }));
    }
}

TYPED_TEST(Transport, APeerThatDoesNotReadBlocksNobody) {
    KeyPair keys = KeyPair::generate();
    const keys::PublicKey peer = keys.public_key();
    this->world_.admit({peer});
    const auto client = this->world_.client(std::move(keys));
    ASSERT_TRUE(this->send_when_connected(*client, "hello"));
    ASSERT_TRUE(turn_until(*this->world_.loop, [&] { return this->heard_.size() == 1; }));
    // The loop does not turn, so nobody reads.
    const std::string big(200 * 1024, 'x');
    Result<void> sent;
    for (int i = 0; i < 20'000 && sent.has_value(); ++i)
        sent = this->server_->send(peer, big);
    EXPECT_TRUE(fails(sent, ErrorCode::kResourceExhausted, "does not read"));
}

}  // namespace
}  // namespace penumbra::zmq
