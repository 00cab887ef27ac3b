// The queue between the agent's lanes and its loop: nothing that was told is lost, whoever talks too much waits, and
// waiting costs nothing.
#include "agent/news_queue.hpp"

#include <ctime>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>

namespace penumbra::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

News said(std::size_t number) {
    return Troubles{.flow = std::to_string(number), .sentences = {}};
}
std::string flow_of(const News& news) {
    return std::get<Troubles>(news).flow;
}
milliseconds own_cpu_time() {
    timespec time{};
    EXPECT_EQ(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
    return milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}
void fill(NewsQueue& queue) {
    for (std::size_t number = 0; number < limits::kChannelItemsMax; ++number)
        queue.tell(said(number));
}

TEST(NewsQueue, WhoTalksTooMuchWaitsWithoutWorkUntilThereIsRoom) {
    NewsQueue queue;
    fill(queue);
    std::packaged_task<milliseconds()> work([&] {
        queue.tell(said(limits::kChannelItemsMax));
        return own_cpu_time();
    });
    auto writer = work.get_future();
    const std::jthread thread(std::move(work));
    EXPECT_EQ(writer.wait_for(milliseconds(400)), std::future_status::timeout) << "there is no room";
    EXPECT_EQ(flow_of(*queue.hear()), "0");
    const bool told = writer.wait_for(seconds(10)) == std::future_status::ready;
    queue.close();
    ASSERT_TRUE(told);
    EXPECT_LT(writer.get(), milliseconds(100)) << "it waited by working";
    for (std::size_t number = 1; number <= limits::kChannelItemsMax; ++number)
        ASSERT_EQ(flow_of(*queue.hear()), std::to_string(number));
    EXPECT_FALSE(queue.hear().has_value());
}

TEST(NewsQueue, ClosingFreesWhoeverWaits) {
    NewsQueue queue;
    fill(queue);
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 3; ++writer)
        writers.emplace_back([&] { queue.tell(said(0)); });
    queue.close();
    writers.clear();  // each is joined: a test that hangs here has failed
    queue.tell(said(0));
}

TEST(NewsQueue, NothingIsLostBetweenSeveralThatTalkAndOneThatReads) {
    constexpr std::size_t kEach = 5 * limits::kChannelItemsMax;
    NewsQueue queue;
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 3; ++writer)
        writers.emplace_back([&] {
            for (std::size_t number = 0; number < kEach; ++number)
                queue.tell(said(number));
        });
    for (std::size_t heard = 0; heard < 3 * kEach;) {
        pollfd ready{.fd = queue.ready_fd(), .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 10'000) != 1) {
            queue.close();
            FAIL() << "nothing came after " << heard;
        }
        while (queue.hear().has_value())
            ++heard;
    }
}

}  // namespace
}  // namespace penumbra::agent
