#include "agent/guest_pace.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"
#include "tests/unit/agent/host_on_fakes.hpp"

namespace penumbra::agent {
namespace {

using namespace std::chrono_literals;

struct GuestPaceTest : ::testing::Test {
    Host host;
    GuestPace pace() {
        return GuestPace({.inventory = host.hypervisor,
                          .clock = host.clock,
                          .pause =
                              [this](std::chrono::nanoseconds time, const std::stop_token&) {
                                  host.clock.advance(time);
                                  waited += time;
                              }},
                         kShop, {});
    }
    void copy(GuestPace& pace, Bytes size) {
        for (Bytes done; done < size; done += Bytes(limits::kReadChunkBytesMax))
            pace.wait(Bytes(limits::kReadChunkBytesMax));
    }
    std::chrono::nanoseconds waited{0};
};

TEST_F(GuestPaceTest, WaitsAsLongAsItsRateSays) {
    host.hypervisor.guest_requests(kShop, 1000, 1ms);
    GuestPace paced = pace();
    EXPECT_EQ(paced.sentence(), "");
    paced.begin();
    copy(paced, Bytes(4U << 20U));
    EXPECT_EQ(paced.sentence(), "32 MiB/s");
    EXPECT_NEAR(std::chrono::duration<double>(waited).count(), 4.0 / 32, 0.03);
}

TEST_F(GuestPaceTest, CountsEveryKindOfRequest) {
    GuestPace paced = pace();
    host.hypervisor.guest_requests(kShop, limits::kPaceRequestsMin, 1ms);
    paced.begin();
    host.clock.advance(limits::kPaceWindow);
    host.hypervisor.guest_requests(kShop, limits::kPaceRequestsMin, 2ms);
    paced.wait(Bytes(1));
    EXPECT_EQ(paced.sentence(), "19 MiB/s, held back: the VM's disks take 2.0 ms a request, 1.0 before");
}

TEST_F(GuestPaceTest, IsHeldBackByWhatTheGuestFeelsAndSaysSo) {
    host.hypervisor.guest_requests(kShop, 1000, 1ms);
    GuestPace paced = pace();
    paced.begin();
    host.clock.advance(limits::kPaceWindow);
    host.hypervisor.guest_requests(kShop, 100, 6ms);
    paced.wait(Bytes(1));
    EXPECT_EQ(paced.sentence(), "19 MiB/s, held back: the VM's disks take 6.0 ms a request, 1.0 before");
}

TEST_F(GuestPaceTest, WhatHappensBeforeTheCopyIsWhatTheGuestIsUsedTo) {
    host.hypervisor.guest_requests(kShop, 1000, 10ms);
    GuestPace paced = pace();
    host.hypervisor.guest_requests(kShop, 1'000'000, 1ms);
    paced.begin();
    host.clock.advance(limits::kPaceWindow);
    host.hypervisor.guest_requests(kShop, 100, 6ms);
    paced.wait(Bytes(1));
    EXPECT_EQ(paced.sentence(), "19 MiB/s, held back: the VM's disks take 6.0 ms a request, 1.0 before");
}

TEST_F(GuestPaceTest, AGuestThatCannotBeLookedAtIsCopiedAtTheRateItHad) {
    host.hypervisor.guest_requests(kShop, 1000, 1ms);
    GuestPace paced = pace();
    paced.begin();
    host.clock.advance(limits::kPaceWindow);
    host.hypervisor.fail_next("disk_counters", kBroken);
    paced.wait(Bytes(1));
    EXPECT_EQ(paced.sentence(), "32 MiB/s");
}

TEST(Pause, EndsWhenItIsStopped) {
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    pause(1h, stop.get_token());  // or the test's own deadline
    EXPECT_TRUE(stop.stop_requested());
}

}  // namespace
}  // namespace penumbra::agent
