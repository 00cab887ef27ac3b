#include "base/event_loop.hpp"

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/epoll.h>

#include "base/channel.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra {
namespace {

using namespace std::chrono_literals;
using penumbra::testing::is_ok;

class EventLoopTest : public ::testing::Test {
 protected:
    EventLoopTest() : loop_(std::move(*EventLoop::create())) {
        deadline_ = *loop_->at(BootClock::now() + 20s, [this] {
            ADD_FAILURE() << "the loop did not end by itself";
            loop_->stop();
        });
    }
    std::unique_ptr<EventLoop> loop_;
    EventLoop::Source deadline_;
};

TEST_F(EventLoopTest, TimersComeDueInOrderOfTheirTimes) {
    std::vector<int> order;
    const Instant now = BootClock::now();
    const auto second = *loop_->at(now + 20ms, [&] {
        order.push_back(2);
        loop_->stop();
    });
    const auto first = *loop_->at(now + 5ms, [&] { order.push_back(1); });
    ASSERT_TRUE(is_ok(loop_->run()));
    EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST_F(EventLoopTest, ARepeatingTimerMayEndItself) {
    int turns = 0;
    EventLoop::Source repeating;
    repeating = *loop_->every(1ms, [&] {
        if (++turns == 3) {
            repeating = {};
            loop_->stop();
        }
    });
    ASSERT_TRUE(is_ok(loop_->run()));
    EXPECT_EQ(turns, 3);
}

TEST_F(EventLoopTest, PostedCallsRunInTheLoopsThread) {
    std::optional<std::thread::id> ran_in;
    const std::jthread poster([&] {
        ASSERT_TRUE(loop_->post([&] {
            ran_in = std::this_thread::get_id();
            loop_->stop();
        }));
    });
    ASSERT_TRUE(is_ok(loop_->run()));
    EXPECT_EQ(ran_in, std::this_thread::get_id());
}

TEST_F(EventLoopTest, WatchesAChannel) {
    Channel<int> channel(4, WhenFull::kReject);
    int received = 0;
    const auto source = *loop_->watch_fd(channel.ready_fd(), EPOLLIN, [&](std::uint32_t) {
        while (const auto item = channel.pop())
            received += *item;
        if (received == 3) loop_->stop();
    });
    ASSERT_TRUE(channel.push(1));
    ASSERT_TRUE(channel.push(2));
    ASSERT_TRUE(is_ok(loop_->run()));
    EXPECT_EQ(received, 3);
}

TEST_F(EventLoopTest, ASignalIsAnEvent) {
    bool received = false;
    const auto source = loop_->on_signal(SIGUSR1, [&] {
        received = true;
        loop_->stop();
    });
    ASSERT_TRUE(is_ok(source));
    ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
    ASSERT_TRUE(is_ok(loop_->run()));
    EXPECT_TRUE(received);
}

TEST_F(EventLoopTest, ADestroyedSourceDoesNotFire) {
    const Instant soon = BootClock::now() + 1ms;
    std::optional<EventLoop::Source> victim;
    const auto killer = *loop_->at(soon, [&] { victim.reset(); });
    victim = *loop_->at(soon + 10us, [&] { ADD_FAILURE() << "fired after its end"; });
    const auto end = *loop_->at(soon + 20ms, [&] { loop_->stop(); });
    ASSERT_TRUE(is_ok(loop_->run()));
}

}  // namespace
}  // namespace penumbra
