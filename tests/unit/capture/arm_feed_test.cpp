#include "capture/arm_feed.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/replay/loop_fixture.hpp"

namespace penumbra::capture {
namespace {

/// A sandbox that only reads, and stops reading when it is told to.
class Reader {
 public:
    Reader(EventLoop& loop, const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.native().size());
        ASSERT(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        io_ = loop.watch_fd(socket_.get(), EPOLLIN, [this](std::uint32_t) { read(); }).value();
    }
    /// errno of an attempt to send something back.
    [[nodiscard]] int talk_back() const {
        const char byte = 'x';
        return ::send(socket_.get(), &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : errno;
    }
    std::vector<std::uint64_t> connections;
    replay::Tally tally;

 private:
    void read() {
        std::array<std::byte, 4096> buffer{};
        const ssize_t got = ::read(socket_.get(), buffer.data(), buffer.size());
        if (got <= 0) {
            io_ = {};
            return;
        }
        decoder_.feed({buffer.data(), static_cast<std::size_t>(got)});
        while (auto record = decoder_.next().value()) {
            if (const auto* exchange = std::get_if<replay::Exchange>(&*record)) {
                connections.push_back(exchange->connection);
            }
            if (const auto* told = std::get_if<replay::Tally>(&*record)) tally = *told;
        }
    }
    UniqueFd socket_;
    EventLoop::Source io_;
    replay::StreamDecoder decoder_;
};

class ArmFeedTest : public replay::testing::LoopFixture {
 protected:
    std::unique_ptr<ArmFeed> feed(std::uint64_t spool_bytes) {
        return ArmFeed::listen(*loop_, "control", path_,
                               replay::Spool::open(folder_.path(), Bytes(spool_bytes)).value())
            .value();
    }
    static packet::Buffer record(std::uint64_t connection, std::size_t request_bytes = 10) {
        replay::Exchange exchange{.connection = connection};
        exchange.request.resize(request_bytes, std::byte{'x'});
        return replay::encode(std::move(exchange));
    }
    penumbra::testing::TemporaryDirectory folder_;
    std::filesystem::path path_ = folder_.path() / "control.sock";
};

TEST_F(ArmFeedTest, WhatWaitedArrivesInOrderAndNothingCanComeBack) {
    const auto feed = this->feed(1 << 20);
    for (std::uint64_t i = 1; i <= 3; ++i)
        feed->exchange(record(i));
    Reader sandbox(*loop_, path_);
    run_until([&] { return sandbox.connections.size() == 3; });
    EXPECT_EQ(sandbox.connections, (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(sandbox.talk_back(), EPIPE);
}

TEST_F(ArmFeedTest, ASandboxThatComesAgainBeginsWithAWholeRecord) {
    const auto feed = this->feed(16 << 20);
    auto slow = std::make_unique<Reader>(*loop_, path_);
    constexpr std::uint64_t kRecords = 40;
    for (std::uint64_t i = 1; i <= kRecords; ++i)
        feed->exchange(record(i, 100'000));  // far more than a socket's buffer: cut in the middle of a record
    run_until([&] { return slow->connections.size() >= 2; });
    slow.reset();
    Reader sandbox(*loop_, path_);
    run_until([&] { return !sandbox.connections.empty() && sandbox.connections.back() == kRecords; });
    for (std::size_t i = 1; i < sandbox.connections.size(); ++i)
        EXPECT_EQ(sandbox.connections[i], sandbox.connections[i - 1] + 1);
}

TEST_F(ArmFeedTest, WhatDidNotFitIsToldAsSoonAsThereIsRoom) {
    const std::size_t two_records = 2 * record(1).size();
    const auto feed = this->feed(two_records);
    for (std::uint64_t i = 1; i <= 5; ++i)
        feed->exchange(record(i));
    feed->lost();
    feed->flush();
    Reader sandbox(*loop_, path_);
    run_until([&] { return sandbox.connections.size() == 2; });
    feed->flush();
    run_until([&] { return sandbox.tally != replay::Tally{}; });
    EXPECT_EQ(sandbox.tally, (replay::Tally{.capture_drop = 1, .spool_full = 3}));
}

}  // namespace
}  // namespace penumbra::capture
