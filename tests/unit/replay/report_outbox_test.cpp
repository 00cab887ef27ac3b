#include "replay/report_outbox.hpp"

#include <array>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits/traffic.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/replay/loop_fixture.hpp"

namespace penumbra::replay {
namespace {

/// The agent's end, as small as it can be.
class Agent {
 public:
    Agent(EventLoop& loop, const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.native().size());
        ASSERT(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        io_ = loop.watch_fd(socket_.get(), EPOLLIN, [this](std::uint32_t) { read(); }).value();
    }
    void say(const AgentWord& word) {
        const packet::Buffer bytes = encode(word);
        ASSERT(::write(socket_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    std::vector<std::uint64_t> sequences;

 private:
    void read() {
        std::array<std::byte, 512> buffer{};
        const ssize_t got = ::read(socket_.get(), buffer.data(), buffer.size());
        if (got <= 0) {
            io_ = {};
            return;
        }
        decoder_.feed({buffer.data(), static_cast<std::size_t>(got)});
        while (const auto window = decoder_.next().value())
            sequences.push_back(window->sequence);
    }
    UniqueFd socket_;
    EventLoop::Source io_;
    ReportDecoder decoder_;
};

using Sequences = std::vector<std::uint64_t>;

class ReportOutboxTest : public testing::LoopFixture {
 protected:
    penumbra::testing::TemporaryDirectory folder_;
    std::filesystem::path path_ = folder_.path() / "report.sock";
    double rate_ = 0;
    std::unique_ptr<ReportOutbox> outbox_ =
        ReportOutbox::listen(*loop_, path_, [this](double rate) { rate_ = rate; }).value();
};

TEST_F(ReportOutboxTest, KeepsEveryWindowUntilItIsAcknowledgedAcrossConnections) {
    for (std::uint64_t i = 1; i <= 3; ++i)
        outbox_->push({.sequence = i});
    auto agent = std::make_unique<Agent>(*loop_, path_);
    run_until([&] { return agent->sequences.size() == 3; });
    EXPECT_EQ(agent->sequences, (Sequences{1, 2, 3}));
    agent->say(Acknowledge{2});
    agent->say(SetRate{1.5});
    run_until([&] { return rate_ == 1.5; });
    agent = std::make_unique<Agent>(*loop_, path_);
    outbox_->push({.sequence = 4});
    run_until([&] { return agent->sequences.size() == 2; });
    EXPECT_EQ(agent->sequences, (Sequences{3, 4}));
    agent->say(Acknowledge{4});
    run_until([&] { return outbox_->empty(); });
}

TEST_F(ReportOutboxTest, DropsTheOldestWhenTheAgentStaysAwayAndCountsIt) {
    for (std::uint64_t i = 1; i <= limits::kKpiWindowsUnacknowledgedMax + 2; ++i)
        outbox_->push({.sequence = i});
    EXPECT_EQ(outbox_->dropped(), 2U);
    Agent agent(*loop_, path_);
    run_until([&] { return agent.sequences.size() == limits::kKpiWindowsUnacknowledgedMax; });
    EXPECT_EQ(agent.sequences.front(), 3U);
}

TEST_F(ReportOutboxTest, AnUnknownWordEndsTheConnection) {
    Agent agent(*loop_, path_);
    outbox_->push({.sequence = 1});
    run_until([&] { return agent.sequences.size() == 1; });
    agent.say(SetRate{1e9});
    agent.say(Acknowledge{1});
    Agent second(*loop_, path_);
    run_until([&] { return second.sequences.size() == 1; });
    EXPECT_EQ(rate_, 0);
}

}  // namespace
}  // namespace penumbra::replay
