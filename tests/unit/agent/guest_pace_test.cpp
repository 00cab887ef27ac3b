#include "agent/guest_pace.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/unit/agent/host_on_fakes.hpp"

namespace penumbra::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMany = 1'000'000;

/// A guest that has `calm` requests before the copy begins, and others later.
struct GuestPaceTest : ::testing::Test {
    Host host;
    std::chrono::nanoseconds waited{0};
    GuestPace pace{{.inventory = host.hypervisor,
                    .clock = host.clock,
                    .pause =
                        [this](std::chrono::nanoseconds time, const std::stop_token&) {
                            host.clock.advance(time);
                            waited += time;
                        }},
                   kShop,
                   {}};

    void begin(std::uint64_t requests, std::chrono::nanoseconds each) {
        host.hypervisor.guest_requests(kShop, requests, each);
        pace.begin();
        waited = 0ns;
    }
    void window(std::uint64_t requests, std::chrono::nanoseconds each) {
        host.clock.advance(limits::kPaceWindow);
        host.hypervisor.guest_requests(kShop, requests, each);
        pace.wait(Bytes(1));
    }
};

TEST_F(GuestPaceTest, LooksAtTheGuestAWhileBeforeAnythingIsDone) {
    EXPECT_EQ(pace.sentence(), "");
    pace.begin();
    EXPECT_EQ(waited, limits::kPaceCalm);
    EXPECT_EQ(pace.sentence(), "32 MiB/s");
}

TEST_F(GuestPaceTest, WaitsAsLongAsItsRateSays) {
    begin(kMany, 1ms);
    for (Bytes done; done < Bytes(4U << 20U); done += Bytes(limits::kReadChunkBytesMax))
        pace.wait(Bytes(limits::kReadChunkBytesMax));
    EXPECT_NEAR(std::chrono::duration<double>(waited).count(), 4.0 / 32, 0.03);
}

TEST_F(GuestPaceTest, CountsEveryKindOfRequest) {
    begin(limits::kPaceRequestsMin, 1ms);
    window(limits::kPaceRequestsMin, 2ms);
    EXPECT_EQ(pace.sentence(), "19 MiB/s, held back: the VM's disks take 2.0 ms a request, 1.0 before");
}

TEST_F(GuestPaceTest, IsHeldBackByWhatTheGuestFeelsAndSaysSo) {
    begin(kMany, 1ms);
    window(100, 6ms);
    EXPECT_EQ(pace.sentence(), "19 MiB/s, held back: the VM's disks take 6.0 ms a request, 1.0 before");
}

TEST_F(GuestPaceTest, AGuestThatCannotBeLookedAtIsCopiedAtTheLeastRate) {
    begin(kMany, 1ms);
    host.hypervisor.fail_next("disk_counters", kBroken);
    window(0, 0ms);
    EXPECT_EQ(pace.sentence(), "8 MiB/s, held back: the VM's disks cannot be asked what they take");
}

TEST(Pause, EndsWhenItIsStopped) {
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    pause(1h, stop.get_token());  // or the test's own deadline
    EXPECT_TRUE(stop.stop_requested());
}

}  // namespace
}  // namespace penumbra::agent
