// The local socket between CLI and coordinator: the real thing over a file of the test's own.

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable_file.hpp"
#include "base/limits/sockets.hpp"
#include "base/unique_fd.hpp"
#include "proto/codec/codec.hpp"
#include "proto/local/address.hpp"
#include "proto/local/client.hpp"
#include "proto/local/frame.hpp"
#include "proto/local/server.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::local {
namespace {

using namespace std::chrono_literals;
using model::api::Failure;
using model::api::Reply;
using model::api::Request;
using testing::fails;
using testing::is_ok;
using testing::turn_until;

class LocalTest : public ::testing::Test {
 protected:
    struct Heard {
        Request request;
        Peer peer;
        Answer answer;
    };

    void serve(LocalServer::Options options = {}) {
        options.path = path_;
        server_ =
            std::move(*LocalServer::create(*loop_, options, [this](Request request, const Peer& peer, Answer answer) {
                if (instant_) answer({.request_id = request.request_id, .body = *instant_});
                heard_.push_back({std::move(request), peer, std::move(answer)});
            }));
    }
    // ask() blocks, so it has a thread while the loop turns here.
    Result<Reply> ask(const Request& request, std::chrono::milliseconds deadline = 10s) {
        std::optional<Result<Reply>> reply;
        std::thread thread([&] {
            Result<Reply> got = local::ask(path_, request, deadline);
            ASSERT_TRUE(loop_->post([&reply, got = std::move(got)] { reply = got; }));
        });
        EXPECT_TRUE(turn_until(*loop_, [&] { return reply.has_value(); }, 20s));
        thread.join();
        return *reply;
    }
    UniqueFd raw(std::string_view bytes) const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_un address = *address_of(path_);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
        return fd;
    }
    // Everything the server says until it closes.
    Result<Reply> until_cut(const UniqueFd& fd) {
        std::string bytes;
        EXPECT_TRUE(turn_until(*loop_, [&] {
            char chunk[4096];
            const ssize_t count = ::recv(fd.get(), chunk, sizeof chunk, MSG_DONTWAIT);
            if (count > 0) bytes.append(chunk, static_cast<std::size_t>(count));
            return count == 0 || (count < 0 && errno == ECONNRESET);
        }));
        if (bytes.size() < kLengthBytes) return fail(ErrorCode::kDataLoss, "cut without a word");
        return codec::decode_reply(std::string_view(bytes).substr(kLengthBytes));
    }
    static Failure failure_of(const Result<Reply>& reply) {
        EXPECT_TRUE(is_ok(reply));
        return reply.has_value() && std::holds_alternative<Failure>(reply->body) ? std::get<Failure>(reply->body)
                                                                                 : Failure{};
    }

    testing::TemporaryDirectory folder_;
    std::filesystem::path path_ = folder_.path() / "coordinator.sock";
    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    std::unique_ptr<LocalServer> server_;
    std::optional<model::api::ReplyBody> instant_;
    std::vector<Heard> heard_;
};

const Request kRequest{.request_id = "r1", .body = model::api::Replicate{GroupId("shop")}};

TEST_F(LocalTest, ARequestIsHeardWithItsUserAndAnswered) {
    serve();
    instant_ = model::api::Accepted{"command:7"};
    const Result<Reply> reply = ask(kRequest);
    ASSERT_TRUE(is_ok(reply));
    EXPECT_EQ(*reply, (Reply{.request_id = "r1", .body = model::api::Accepted{"command:7"}}));
    ASSERT_EQ(heard_.size(), 1U);
    EXPECT_EQ(heard_[0].request, kRequest);
    EXPECT_EQ(heard_[0].peer.uid, ::getuid());
    EXPECT_EQ(heard_[0].peer.pid, ::getpid());
    EXPECT_FALSE(heard_[0].peer.user.empty());
    EXPECT_TRUE(turn_until(*loop_, [&] { return server_->connections() == 0; }));
}

TEST_F(LocalTest, AnAnswerMayComeInALaterTurnAndOnlyTheFirstCounts) {
    serve();
    const UniqueFd fd = raw(framed(*codec::encode(kRequest)));
    ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));
    heard_[0].answer({.request_id = "r1", .body = model::api::Accepted{"command:8"}});
    heard_[0].answer({.request_id = "r1", .body = model::api::Accepted{"command:9"}});
    const Result<Reply> reply = until_cut(fd);
    ASSERT_TRUE(is_ok(reply));
    EXPECT_EQ(std::get<model::api::Accepted>(reply->body).subject, "command:8");
    heard_[0].answer({.request_id = "r1", .body = model::api::Accepted{"command:10"}});  // finds nobody
}

TEST_F(LocalTest, AClientThatGoesIsForgotten) {
    serve();
    {
        const UniqueFd fd = raw(framed(*codec::encode(kRequest)));
        ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));
    }
    EXPECT_TRUE(turn_until(*loop_, [&] { return server_->connections() == 0; }));
    heard_[0].answer({.request_id = "r1", .body = model::api::Accepted{"command:8"}});
    EXPECT_EQ(server_->refused(), 0U);
}

TEST_F(LocalTest, AReplyOfManyMegabytesArrivesWhole) {
    serve();
    std::vector<model::EventView> events(limits::kItemsPerReplyMax);
    for (std::size_t i = 0; i < events.size(); ++i)
        events[i] = {
            .sequence = i + 1, .kind = "command_final", .subject = "host:hv1", .message = std::string(1000, 'm')};
    instant_ = events;
    const Result<Reply> reply = ask({.request_id = "r2", .body = model::api::ListEvents{}});
    ASSERT_TRUE(is_ok(reply));
    EXPECT_EQ(std::get<std::vector<model::EventView>>(reply->body), events);
}

TEST_F(LocalTest, AReplyThatCannotBeSentIsAFailure) {
    serve();
    instant_ = std::vector<model::EventView>(limits::kItemsPerReplyMax + 1);
    const Failure failure = failure_of(ask(kRequest));
    EXPECT_EQ(failure.code, ErrorCode::kInternal);
    EXPECT_NE(failure.message.find("cannot be sent"), std::string::npos);
}

TEST_F(LocalTest, GarbageIsRefusedInWords) {
    serve();
    const UniqueFd fd = raw(framed(std::string(64, '\xff')));
    EXPECT_EQ(failure_of(until_cut(fd)).code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(heard_.empty());
    EXPECT_EQ(server_->refused(), 1U);
}

TEST_F(LocalTest, AClaimOfFourGigabytesIsRefusedBeforeItIsRead) {
    serve();
    const UniqueFd fd = raw(std::string(4, '\xff') + std::string(1000, 'x'));
    EXPECT_EQ(failure_of(until_cut(fd)).code, ErrorCode::kResourceExhausted);
}

TEST_F(LocalTest, TwoRequestsOnOneConnectionAreRefused) {
    serve();
    const std::string frame = framed(*codec::encode(kRequest));
    const UniqueFd fd = raw(frame + frame);
    EXPECT_EQ(failure_of(until_cut(fd)).code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(heard_.empty());
}

TEST_F(LocalTest, AHalfRequestIsCutAndTakesNothingFromOthers) {
    serve({.request_time = 100ms});
    instant_ = model::api::Accepted{"command:7"};
    const std::string frame = framed(*codec::encode(kRequest));
    const UniqueFd half = raw(std::string_view(frame).substr(0, frame.size() / 2));
    EXPECT_TRUE(is_ok(ask(kRequest)));
    EXPECT_EQ(failure_of(until_cut(half)).code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(LocalTest, ARequestNobodyAnswersEndsInWords) {
    serve({.answer_time = 50ms});
    const Failure failure = failure_of(ask(kRequest));
    EXPECT_EQ(failure.code, ErrorCode::kDeadlineExceeded);
}

TEST_F(LocalTest, AClientThatDoesNotReadIsCut) {
    serve({.reply_time = 100ms});
    instant_ = std::vector<model::EventView>(1000, {.message = std::string(4000, 'm')});
    const UniqueFd fd = raw(framed(*codec::encode(kRequest)));
    ASSERT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));
    EXPECT_TRUE(turn_until(*loop_, [&] { return server_->connections() == 0; }));
    EXPECT_EQ(server_->refused(), 1U);
}

TEST_F(LocalTest, OneUserCannotTakeEveryConnection) {
    serve();
    std::vector<UniqueFd> open;
    for (std::size_t i = 0; i < limits::kLocalConnectionsPerUserMax; ++i)
        open.push_back(raw(""));
    ASSERT_TRUE(turn_until(*loop_, [&] { return server_->connections() == open.size(); }));
    EXPECT_EQ(failure_of(until_cut(raw(""))).code, ErrorCode::kResourceExhausted);
    open.clear();
    instant_ = model::api::Accepted{"command:7"};
    EXPECT_TRUE(is_ok(ask(kRequest)));
}

TEST_F(LocalTest, TheFileIsOnlyForItsGroupAndGoesWithTheServer) {
    serve();
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0660U);
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LocalTest, WhatADeadCoordinatorLeftIsReplacedAndALivingOneIsNot) {
    {
        const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_un address = *address_of(path_);
        ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    serve();
    const auto second = LocalServer::create(*loop_, {.path = path_}, nullptr);
    EXPECT_TRUE(fails(second, ErrorCode::kConflict, "already"));
    instant_ = model::api::Accepted{"command:7"};
    EXPECT_TRUE(is_ok(ask(kRequest)));
}

TEST_F(LocalTest, AFileThatIsNoSocketIsNotReplaced) {
    path_ = folder_.path() / "precious";
    ASSERT_TRUE(is_ok(write_file_durably(path_, "precious")));
    EXPECT_TRUE(fails(LocalServer::create(*loop_, {.path = path_}, nullptr), ErrorCode::kConflict, "not a socket"));
    EXPECT_EQ(*read_file(path_, 100), "precious");
}

TEST_F(LocalTest, AnUnknownGroupIsAClearError) {
    EXPECT_TRUE(fails(LocalServer::create(*loop_, {.path = path_, .group = "no-such-group-here"}, nullptr),
                      ErrorCode::kNotFound, "no-such-group-here"));
}

TEST_F(LocalTest, TheClientSaysThatNobodyListens) {
    EXPECT_TRUE(fails(local::ask(path_, kRequest, 1s), ErrorCode::kUnavailable, "no coordinator listens"));
}

TEST_F(LocalTest, TheClientWaitsNoLongerThanItsDeadline) {
    const UniqueFd mute(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = *address_of(path_);
    ASSERT_EQ(::bind(mute.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(mute.get(), 4), 0);
    EXPECT_TRUE(fails(local::ask(path_, kRequest, 50ms), ErrorCode::kDeadlineExceeded, "may still happen"));
}

TEST_F(LocalTest, TheClientSaysThatTheCoordinatorWentAway) {
    serve();
    std::optional<Result<Reply>> reply;
    std::thread thread([&] {
        Result<Reply> got = local::ask(path_, kRequest, 10s);
        ASSERT_TRUE(loop_->post([&reply, got = std::move(got)] { reply = got; }));
    });
    EXPECT_TRUE(turn_until(*loop_, [&] { return heard_.size() == 1; }));
    server_.reset();
    EXPECT_TRUE(turn_until(*loop_, [&] { return reply.has_value(); }));
    thread.join();
    EXPECT_TRUE(fails(*reply, ErrorCode::kUnavailable, "closed the connection"));
}

TEST_F(LocalTest, TheClientTakesNoAnswerToAnotherQuestion) {
    server_ =
        std::move(*LocalServer::create(*loop_, {.path = path_}, [](const Request&, const Peer&, const Answer& answer) {
            answer({.request_id = "another", .body = model::api::Accepted{"command:7"}});
        }));
    EXPECT_TRUE(fails(ask(kRequest), ErrorCode::kInternal, "another request"));
}

TEST_F(LocalTest, APathTheKernelCannotTakeIsAClearError) {
    EXPECT_TRUE(fails(local::ask(std::string(200, 'p'), kRequest, 1s), ErrorCode::kInvalidArgument, "107 bytes"));
}

}  // namespace
}  // namespace penumbra::local
