// Enrolment over the real socket: a token, a key that CURVE proved, and what strangers can try.

#include "proto/zmq/enrol.hpp"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/sockets.hpp"
#include "proto/zmq/client.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::zmq {
namespace {

using keys::KeyPair;
using namespace std::chrono_literals;
using testing::fails;
using testing::is_ok;
using testing::turn_until;

class EnrolTest : public ::testing::Test {
 protected:
    struct Heard {
        keys::PublicKey key;
        std::string token;
        EnrolServer::Answer answer;
    };
    EnrolTest() {
        server_ = std::move(*EnrolServer::create(
            *loop_, *gate_, keys_, "tcp://127.0.0.1:0",
            [this](const keys::PublicKey& key, const std::string& token, EnrolServer::Answer answer) {
                if (instant_.has_value()) answer(*instant_);
                heard_.push_back({key, token, std::move(answer)});
            }));
    }
    std::string address() const { return server_->endpoint().substr(std::string("tcp://").size()); }
    // enrol() blocks, so it has a thread while the coordinator's loop turns here.
    Result<Enrolled> run_enrol(KeyPair pair, const keys::PublicKey& server_key, std::string token,
                               std::chrono::milliseconds deadline = 10s) {
        std::optional<Result<Enrolled>> result;
        std::thread thread([&, pair = std::move(pair)]() mutable {
            Result<Enrolled> got = enrol(address(), server_key, std::move(pair), token, deadline);
            ASSERT_TRUE(loop_->post([&result, got] { result = got; }));
        });
        EXPECT_TRUE(turn_until(*loop_, [&] { return result.has_value(); }, 20s));
        thread.join();
        return *result;
    }

    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    std::unique_ptr<Gate> gate_ = std::move(*Gate::create());
    KeyPair keys_ = KeyPair::generate();
    std::unique_ptr<EnrolServer> server_;
    std::optional<Result<Enrolled>> instant_;
    std::vector<Heard> heard_;
};

const Enrolled kHv1{.host = HostId("hv1"), .fleet_port = 7701};

TEST_F(EnrolTest, AHostIsAdmittedUnderTheKeyItProved) {
    instant_ = kHv1;
    KeyPair pair = KeyPair::generate();
    const keys::PublicKey key = pair.public_key();
    const std::string token = keys::make_token();
    const Result<Enrolled> enrolled = run_enrol(std::move(pair), keys_.public_key(), token);
    ASSERT_TRUE(is_ok(enrolled));
    EXPECT_EQ(*enrolled, kHv1);
    ASSERT_EQ(heard_.size(), 1U);
    EXPECT_EQ(heard_[0].key, key);
    EXPECT_EQ(heard_[0].token, token);
}

TEST_F(EnrolTest, TheCoordinatorsWordsReachTheHost) {
    instant_ = fail(ErrorCode::kPermissionDenied, "this token was used already: make another one");
    EXPECT_TRUE(fails(run_enrol(KeyPair::generate(), keys_.public_key(), keys::make_token()),
                      ErrorCode::kPermissionDenied, "used already"));
}

TEST_F(EnrolTest, ATokenThatIsNoneNeverReachesTheStore) {
    instant_ = kHv1;
    EXPECT_TRUE(fails(run_enrol(KeyPair::generate(), keys_.public_key(), "secret"), ErrorCode::kPermissionDenied,
                      "64 hex digits"));
    EXPECT_TRUE(heard_.empty());
}

TEST_F(EnrolTest, AForgedCoordinatorLearnsNoToken) {
    instant_ = kHv1;
    EXPECT_TRUE(fails(run_enrol(KeyPair::generate(), KeyPair::generate().public_key(), keys::make_token(), 1500ms),
                      ErrorCode::kUnavailable, "--server-key"));
    EXPECT_TRUE(heard_.empty());
}

TEST_F(EnrolTest, AnAnswerMayComeAfterTheCommitAndOnlyOnce) {
    std::optional<Result<Enrolled>> result;
    std::thread thread([&] {
        Result<Enrolled> got = enrol(address(), keys_.public_key(), KeyPair::generate(), keys::make_token(), 10s);
        ASSERT_TRUE(loop_->post([&result, got] { result = got; }));
    });
    EXPECT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));
    heard_[0].answer(kHv1);
    heard_[0].answer(fail(ErrorCode::kInternal, "a second answer"));
    EXPECT_TRUE(turn_until(*loop_, [&] { return result.has_value(); }));
    thread.join();
    EXPECT_TRUE(is_ok(*result));
    server_.reset();
    heard_[0].answer(kHv1);  // finds nobody
}

TEST_F(EnrolTest, NoMoreThanSoManyWaitAtOnce) {
    std::vector<std::unique_ptr<FleetClient>> strangers;
    std::size_t refused = 0;
    const std::string ask = "penumbra-enrol 1\n" + keys::make_token();
    for (std::size_t i = 0; i <= limits::kEnrolAsksMax; ++i) {
        strangers.push_back(std::move(*FleetClient::create(
            *loop_, KeyPair::generate(), {.endpoint = server_->endpoint(), .server_key = keys_.public_key()})));
        strangers.back()->on_message(
            [&](std::string_view bytes) { refused += bytes.find("too many hosts") == std::string_view::npos ? 0 : 1; });
        FleetClient& stranger = *strangers.back();
        ASSERT_TRUE(turn_until(*loop_, [&] { return stranger.send(ask).has_value(); }));
    }
    EXPECT_TRUE(turn_until(*loop_, [&] { return refused == 1; }, 20s));
    EXPECT_EQ(heard_.size(), limits::kEnrolAsksMax);
}

}  // namespace
}  // namespace penumbra::zmq
