#include "base/channel.hpp"

#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

namespace penumbra {
namespace {

bool readable(int fd, int timeout_ms) {
    pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&poll_fd, 1, timeout_ms) == 1;
}

TEST(Channel, GivesItemsInOrderAndIsReadableWhileItHasAny) {
    Channel<int> channel(4, WhenFull::kReject);
    EXPECT_FALSE(readable(channel.ready_fd(), 0));
    EXPECT_TRUE(channel.push(1));
    EXPECT_TRUE(channel.push(2));
    EXPECT_TRUE(readable(channel.ready_fd(), 0));
    EXPECT_EQ(channel.pop(), 1);
    EXPECT_TRUE(readable(channel.ready_fd(), 0));
    EXPECT_EQ(channel.pop(), 2);
    EXPECT_EQ(channel.pop(), std::nullopt);
    EXPECT_FALSE(readable(channel.ready_fd(), 0));
}

TEST(Channel, RejectsWhenFull) {
    Channel<int> channel(1, WhenFull::kReject);
    EXPECT_TRUE(channel.push(1));
    EXPECT_FALSE(channel.push(2));
    EXPECT_EQ(channel.pop(), 1);
}

TEST(Channel, DropsTheOldestAndCountsIt) {
    Channel<int> channel(2, WhenFull::kDropOldest);
    for (int i = 1; i <= 5; ++i)
        EXPECT_TRUE(channel.push(i));
    EXPECT_EQ(channel.pop(), 4);
    EXPECT_EQ(channel.pop(), 5);
    EXPECT_EQ(channel.dropped(), 3U);
}

TEST(Channel, CarriesEverythingFromAnotherThread) {
    constexpr int kItems = 20'000;
    Channel<int> channel(64, WhenFull::kReject);
    std::jthread writer([&] {
        for (int i = 0; i < kItems;) {
            if (channel.push(i)) ++i;
        }
    });
    for (int expected = 0; expected < kItems;) {
        ASSERT_TRUE(readable(channel.ready_fd(), 10'000));
        while (const auto item = channel.pop())
            ASSERT_EQ(*item, expected++);
    }
}

}  // namespace
}  // namespace penumbra
