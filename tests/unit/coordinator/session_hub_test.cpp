#include "coordinator/session_hub.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/enrolment.hpp"
#include "coordinator/store/memory_store.hpp"
#include "proto/codec/codec.hpp"
#include "proto/zmq/fake/link.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::coordinator {
namespace {

using testing::is_ok;
using testing::turn_until;

std::string hello_of(const HostId& host) {
    model::Envelope envelope{.body =
                                 model::Hello{.host = host, .agent_version = "0.1.0", .boot_id = "b", .instance = "i"}};
    return codec::encode(envelope).value();
}
std::string heartbeat() {
    return codec::encode(model::Envelope{.session = {Epoch(1), 1}, .sequence = 1, .body = model::Heartbeat{}}).value();
}

class SessionHubTest : public ::testing::Test {
 protected:
    SessionHubTest() {
        hub_.emplace(
            *server_, [this](std::set<keys::PublicKey> admitted) { network_.admit(std::move(admitted)); },
            [this](Event event) {
                if (auto* garbled = std::get_if<Garbled>(&event)) garbled_.push_back(std::move(*garbled));
                if (auto* received = std::get_if<Received>(&event)) heard_.push_back(std::move(*received));
            });
    }
    bool heard(std::size_t count) {
        return turn_until(*loop_, [&] { return heard_.size() >= count; });
    }
    // Whatever is on its way has arrived when a later message of another host has.
    void flush() {
        const std::size_t before = heard_.size();
        ASSERT_TRUE(is_ok(second_->send(heartbeat())));
        ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() > before && heard_.back().host == HostId("hv2"); }));
        heard_.pop_back();
    }

    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    zmq::fake::Network network_{*loop_};
    std::unique_ptr<zmq::ServerLink> server_ = network_.server();
    const keys::PublicKey first_key_ = keys::KeyPair::generate().public_key();
    const keys::PublicKey second_key_ = keys::KeyPair::generate().public_key();
    std::unique_ptr<zmq::ClientLink> first_ = network_.client(first_key_);
    std::unique_ptr<zmq::ClientLink> second_ = network_.client(second_key_);
    std::vector<Received> heard_;
    std::vector<Garbled> garbled_;
    std::optional<SessionHub> hub_;
};

TEST_F(SessionHubTest, NamesASenderByItsKeyWhateverItSays) {
    ASSERT_TRUE(is_ok(hub_->enrol_all({{HostId("hv1"), first_key_.z85()}, {HostId("hv2"), second_key_.z85()}})));
    ASSERT_TRUE(is_ok(first_->send(hello_of(HostId("hv2")))));
    ASSERT_TRUE(heard(1));
    EXPECT_EQ(heard_.front().host, HostId("hv1"));
}

TEST_F(SessionHubTest, HearsNobodyThatIsNotEnrolled) {
    ASSERT_TRUE(is_ok(hub_->enrol_all({{HostId("hv2"), second_key_.z85()}})));
    static_cast<void>(first_->send(hello_of(HostId("hv1"))).has_value());
    flush();
    EXPECT_TRUE(heard_.empty());
}

TEST_F(SessionHubTest, HearsAHostsNewKeyAndNoMoreItsOldOne) {
    ASSERT_TRUE(is_ok(hub_->enrol_all({{HostId("hv1"), first_key_.z85()}})));
    hub_->enrol(HostId("hv1"), second_key_);
    static_cast<void>(first_->send(heartbeat()).has_value());
    ASSERT_TRUE(is_ok(second_->send(heartbeat())));
    ASSERT_TRUE(heard(1));
    EXPECT_EQ(heard_.size(), 1U);
    hub_->forget(HostId("hv1"));
    hub_->enrol(HostId("hv2"), second_key_);
    flush();
    EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(SessionHubTest, TellsWhoSentWhatIsMalformed) {
    ASSERT_TRUE(is_ok(hub_->enrol_all({{HostId("hv1"), first_key_.z85()}, {HostId("hv2"), second_key_.z85()}})));
    ASSERT_TRUE(is_ok(first_->send("\xff\xff")));
    ASSERT_TRUE(is_ok(first_->send("")));
    flush();
    EXPECT_TRUE(heard_.empty());
    ASSERT_EQ(garbled_.size(), 2U);
    EXPECT_EQ(garbled_.front().host, HostId("hv1"));
}

TEST_F(SessionHubTest, HearsOnlyHeartbeatsWhileTheDiskIsFull) {
    ASSERT_TRUE(is_ok(hub_->enrol_all({{HostId("hv1"), first_key_.z85()}, {HostId("hv2"), second_key_.z85()}})));
    hub_->hold(true);
    ASSERT_TRUE(is_ok(first_->send(hello_of(HostId("hv1")))));
    ASSERT_TRUE(is_ok(first_->send(heartbeat())));
    flush();
    EXPECT_EQ(heard_.size(), 1U);
    hub_->hold(false);
    ASSERT_TRUE(is_ok(first_->send(hello_of(HostId("hv1")))));
    EXPECT_TRUE(heard(2));
}

TEST_F(SessionHubTest, SendsToTheHostsKey) {
    ASSERT_TRUE(is_ok(hub_->enrol_all({{HostId("hv1"), first_key_.z85()}, {HostId("hv2"), second_key_.z85()}})));
    ASSERT_TRUE(is_ok(first_->send(heartbeat())));
    ASSERT_TRUE(heard(1));
    std::string got;
    first_->on_message([&](std::string_view bytes) { got = bytes; });
    hub_->send(HostId("hv1"), {.session = {Epoch(1), 1}, .sequence = 1, .body = model::HeartbeatAck{.echo_ms = 7}});
    ASSERT_TRUE(turn_until(*loop_, [&] { return !got.empty(); }));
    EXPECT_EQ(std::get<model::HeartbeatAck>(codec::decode(got)->body).echo_ms, 7U);
    hub_->send(HostId("hv9"), {});  // nobody
}

class EnrolmentTest : public ::testing::Test {
 protected:
    EnrolmentTest() {
        auto store = std::make_unique<MemoryStore>(disk_);
        ASSERT(store->open({}).has_value());
        ASSERT(store->keep_token({keys::token_hash("secret"), HostId("hv1"), clock_.wall() + std::chrono::minutes(10)})
                   .has_value());
        worker_ = *StoreWorker::start(*loop_, std::move(store), {});
        enrolment_.emplace(clock_, *worker_,
                           [this](const HostId& host, const keys::PublicKey& key) { enrolled_ = {host, key.z85()}; });
    }
    Result<HostId> redeem(std::string_view token) {
        std::optional<Result<HostId>> answer;
        enrolment_->redeem(key_, token, [&](const Result<HostId>& host) { answer = host; });
        EXPECT_TRUE(turn_until(*loop_, [&] { return answer.has_value(); }));
        return *answer;
    }

    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    testing::FakeClock clock_;
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
    std::unique_ptr<StoreWorker> worker_;
    const keys::PublicKey key_ = keys::KeyPair::generate().public_key();
    std::optional<Enrolment> enrolment_;
    EnrolledKey enrolled_;
};

TEST_F(EnrolmentTest, LetsAKeyInAgainstItsToken) {
    EXPECT_EQ(redeem("secret").value_or(HostId()), HostId("hv1"));
    EXPECT_EQ(enrolled_, (EnrolledKey{HostId("hv1"), key_.z85()}));
    EXPECT_EQ(disk_->keys.at(HostId("hv1")), key_.z85());
    // the answer may have been lost
    EXPECT_EQ(redeem("secret").value_or(HostId()), HostId("hv1"));
}

TEST_F(EnrolmentTest, RefusesAWrongTokenOrALateOne) {
    EXPECT_TRUE(testing::fails(redeem("guess"), ErrorCode::kPermissionDenied));
    clock_.advance(std::chrono::minutes(10));
    EXPECT_TRUE(testing::fails(redeem("secret"), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(disk_->keys.empty());
    EXPECT_TRUE(enrolled_.host.empty());
}

}  // namespace
}  // namespace penumbra::coordinator
