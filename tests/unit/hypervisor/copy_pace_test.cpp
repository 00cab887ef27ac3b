#include "hypervisor/copy_pace.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr Instant kBegin{1h};
constexpr Bytes kChunk(256ULL << 10U);

double mib(Bytes bytes) {
    return static_cast<double>(bytes.count()) / (1 << 20);
}

/// A guest on a storage that it shares with a copy: its requests take as long as a single server's queue makes them.
struct SharedStorage {
    double capacity_mib_s = 200;
    nanoseconds service = 2ms;
    double requests_per_s = 100;
    Instant now = kBegin;
    GuestIo io{.requests = 10'000, .time = 20s};
    double copied_mib = 0;
    nanoseconds worst = 0ns;

    /// Reads as fast as `pace` lets it; what a chunk takes, the guest waits for as well.
    void copy_for(CopyPace& pace, nanoseconds time) {
        const Instant end = now + time;
        Instant looked = now;
        double since_look_mib = 0;
        while (now < end) {
            now += std::max<nanoseconds>(pace.take(kChunk, now), 50us);
            copied_mib += mib(kChunk);
            since_look_mib += mib(kChunk);
            if (!pace.is_due(now)) continue;
            const double seconds = std::chrono::duration<double>(now - looked).count();
            const double busy = std::min(since_look_mib / seconds / capacity_mib_s, 0.95);
            const auto each = nanoseconds(static_cast<std::int64_t>(static_cast<double>(service.count()) / (1 - busy)));
            const auto count = static_cast<std::uint64_t>(requests_per_s * seconds);
            io.requests += count;
            io.time += each * count;
            if (count > 0) worst = std::max(worst, each);
            pace.observe(io, now);
            looked = now;
            since_look_mib = 0;
        }
    }
};

TEST(CopyPace, FindsTheRateThatTheGuestDoesNotFeel) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 200; ++i) {
        SharedStorage storage{
            .capacity_mib_s = std::exp(std::uniform_real_distribution(std::log(40), std::log(8000))(random)),
            .service = nanoseconds(std::uniform_int_distribution<std::int64_t>(2'000'000, 20'000'000)(random)),
            .requests_per_s = std::uniform_real_distribution(40.0, 5'000.0)(random)};
        storage.io.time = storage.service * storage.io.requests;
        CopyPace pace(storage.io, {}, storage.now);
        storage.copy_for(pace, 30s);
        const GuestIo before = storage.io;
        storage.copied_mib = 0;
        storage.copy_for(pace, 60s);
        const double mean = static_cast<double>((storage.io.time - before.time).count()) /
                            static_cast<double>(storage.io.requests - before.requests);
        const double usual = static_cast<double>(storage.service.count());
        EXPECT_LE(mean, 1.55 * usual) << i << ": " << storage.capacity_mib_s << " MiB/s";
        // A third of the storage is what one and a half times the time a request leaves.
        const double fair = std::min(storage.capacity_mib_s / 3, mib(limits::kPaceRateMax));
        EXPECT_GE(storage.copied_mib / 60, 0.5 * fair) << i << ": " << storage.capacity_mib_s << " MiB/s";
    }
}

TEST(CopyPace, AGuestThatAsksForNothingHoldsNothingBack) {
    SharedStorage storage{.requests_per_s = 0};
    CopyPace pace(storage.io, {}, storage.now);
    storage.copy_for(pace, limits::kPacePatience / 2);
    EXPECT_EQ(pace.rate(), limits::kPaceRateBegin);
    storage.copy_for(pace, 60s);
    EXPECT_EQ(pace.rate(), limits::kPaceRateMax);
    EXPECT_FALSE(pace.is_held_back());
    EXPECT_FALSE(pace.latest().has_value());
}

/// QEMU counts what is done: a guest whose flush hangs has done nothing, and must not look idle.
TEST(CopyPace, AGuestWhoseRequestsHangDoesNotSpeedACopyUp) {
    CopyPace pace({.requests = 100'000, .time = 100s}, {}, kBegin);
    Instant now = kBegin;
    GuestIo io{.requests = 100'000, .time = 100s};
    for (int stall = 0; stall < 8; ++stall) {
        for (int window = 0; window < 6; ++window) {
            now += limits::kPaceWindow;
            static_cast<void>(pace.take(Bytes(64U << 20U), now));
            pace.observe(io, now);
            EXPECT_LE(pace.rate(), limits::kPaceRateBegin);
        }
        now += limits::kPaceWindow;
        io = {.requests = io.requests + 40, .time = io.time + 40 * 1500ms};
        pace.observe(io, now);
    }
    EXPECT_EQ(pace.rate(), limits::kPaceRateMin);
}

TEST(CopyPace, RisesNoFurtherThanTwiceWhatIsRead) {
    CopyPace pace({.requests = 100'000, .time = 100s}, {}, kBegin);
    GuestIo io{.requests = 100'000, .time = 100s};
    for (int window = 1; window <= 100; ++window) {
        static_cast<void>(pace.take(Bytes(15U << 20U), kBegin));  // 60 MiB a second is all that the storage gives
        io = {.requests = io.requests + 100, .time = io.time + 100ms};
        pace.observe(io, kBegin + window * limits::kPaceWindow);
    }
    EXPECT_LE(pace.rate(), Bytes(120U << 20U));
    EXPECT_GT(pace.rate(), Bytes(100U << 20U));
}

TEST(CopyPace, GoesOnAtTheLeastRateHoweverSlowTheGuestBecomes) {
    SharedStorage storage{.capacity_mib_s = 1};
    CopyPace pace(storage.io, {}, storage.now);
    storage.copy_for(pace, 10s);
    EXPECT_EQ(pace.rate(), limits::kPaceRateMin);
    EXPECT_TRUE(pace.is_held_back());
}

TEST(CopyPace, HoldsItsRateToAFewPercent) {
    for (const std::chrono::microseconds longest : {1us, 300us, 5'000us}) {
        CopyPace pace({}, {}, kBegin);
        Instant now = kBegin;
        double taken = 0;
        while (now < kBegin + 10s) {
            // Who waits, waits a little longer than asked.
            now += pace.take(kChunk, now) + longest;
            taken += mib(kChunk);
        }
        EXPECT_NEAR(taken / 10, mib(limits::kPaceRateBegin), 0.05 * mib(limits::kPaceRateBegin));
    }
}

TEST(CopyPace, WhatWasNotTakenInTimeIsGone) {
    CopyPace pace({}, {}, kBegin);
    const Instant later = kBegin + 1h;
    double at_once = 0;
    while (pace.take(kChunk, later) == 0ns)
        at_once += mib(kChunk);
    EXPECT_LE(at_once, mib(limits::kPaceRateBegin) * std::chrono::duration<double>(limits::kPaceBurst).count());
}

TEST(CopyPace, WhatAGuestIsUsedToIsItsLastMomentsAsFarAsTheyTell) {
    const GuestIo life{.requests = 100'000, .time = 200s};
    const auto usual = [&](GuestIo calm) { return CopyPace(life, calm, kBegin).usual().value_or(0ns); };
    EXPECT_EQ(usual({}), 2ms);
    EXPECT_NEAR(static_cast<double>(usual({.requests = 100'000, .time = 50s}).count()), 500e3, 5e3);
    EXPECT_NEAR(static_cast<double>(usual({.requests = 2, .time = 20ms}).count()), 2.47e6, 0.1e6);
    EXPECT_EQ(CopyPace({.requests = 1, .time = 9s}, {.requests = 50, .time = 50ms}, kBegin).usual(), 1ms);
    EXPECT_FALSE(CopyPace({.requests = 1, .time = 2s}, {.requests = 2, .time = 1s}, kBegin).usual().has_value());
}

/// Requests differ a hundredfold: that alone must not hold a copy back that hurts nobody.
TEST(CopyPace, NoiseOfAQuietGuestIsNoHarm) {
    std::mt19937_64 random(11);
    for (const double requests_per_s : {20.0, 100.0, 1000.0}) {
        std::lognormal_distribution<double> request_ms(0, 1.2);
        GuestIo io{.requests = 100'000,
                   .time = nanoseconds(static_cast<std::int64_t>(100'000 * 1e6 * std::exp(1.2 * 1.2 / 2)))};
        CopyPace pace(io, {}, kBegin);
        double mean_rate = 0;
        constexpr int kWindows = 2000;
        for (int window = 1; window <= kWindows; ++window) {
            const double wanted = requests_per_s * std::chrono::duration<double>(limits::kPaceWindow).count();
            for (int i = 0; i < static_cast<int>(wanted); ++i) {
                ++io.requests;
                io.time += nanoseconds(static_cast<std::int64_t>(request_ms(random) * 1e6));
            }
            static_cast<void>(pace.take(limits::kPaceRateMax, kBegin));
            pace.observe(io, kBegin + window * limits::kPaceWindow);
            mean_rate += mib(pace.rate()) / kWindows;
        }
        EXPECT_GT(mean_rate, mib(limits::kPaceRateMax) / 4) << requests_per_s;
    }
}

TEST(CopyPace, WithoutAnythingToCompareTheFirstMomentsAreWhatItIsUsedTo) {
    CopyPace pace({}, {}, kBegin);
    pace.observe({.requests = 40, .time = 120ms}, kBegin + limits::kPaceWindow);
    EXPECT_EQ(pace.usual(), 3ms);
    EXPECT_FALSE(pace.is_held_back());
    pace.observe({.requests = 80, .time = 120ms + 240ms}, kBegin + 2 * limits::kPaceWindow);
    EXPECT_TRUE(pace.is_held_back());
}

TEST(CopyPace, FewRequestsWaitForMoreButNotForEver) {
    CopyPace pace({.requests = 1000, .time = 1s}, {}, kBegin);
    GuestIo io{.requests = 1000, .time = 1s};
    Instant now = kBegin;
    const auto one_slow_request = [&] {
        now += limits::kPaceWindow;
        io = {.requests = io.requests + 1, .time = io.time + 50ms};
        pace.observe(io, now);
    };
    one_slow_request();
    EXPECT_FALSE(pace.is_held_back());
    EXPECT_EQ(pace.rate(), limits::kPaceRateBegin);
    while (now < kBegin + limits::kPacePatience)
        one_slow_request();
    EXPECT_TRUE(pace.is_held_back());
}

TEST(CopyPace, ARestartedGuestIsLearnedAnew) {
    CopyPace pace({.requests = 1000, .time = 1s}, {}, kBegin);
    pace.observe({.requests = 3, .time = 1s + 1ms}, kBegin + limits::kPaceWindow);
    EXPECT_FALSE(pace.is_held_back());
    EXPECT_FALSE(pace.latest().has_value());
    EXPECT_EQ(pace.rate(), limits::kPaceRateBegin);
    pace.observe({.requests = 103, .time = 1s + 101ms}, kBegin + 2 * limits::kPaceWindow);
    EXPECT_FALSE(pace.is_held_back());
    EXPECT_EQ(pace.latest(), 1ms);
}

/// The guest's own work changes while it is copied, and its requests with it: it is not hurt, and says so in a calm.
TEST(CopyPace, LearnsAnewWhatAGuestIsUsedTo) {
    SharedStorage storage{.capacity_mib_s = 3000};
    storage.io.time = storage.service * storage.io.requests;
    CopyPace pace(storage.io, {}, storage.now);
    storage.copy_for(pace, 10s);
    EXPECT_FALSE(pace.is_held_back());
    storage.service *= 4;
    storage.copy_for(pace, limits::kPaceRelearn);
    EXPECT_LE(pace.rate(), Bytes(2 * limits::kPaceRateMin.count()));
    storage.copy_for(pace, limits::kPaceRelearn + 20s);
    EXPECT_NEAR(static_cast<double>(pace.usual().value_or(0ns).count()), 8e6, 0.5e6);
    EXPECT_GT(pace.rate(), Bytes(200U << 20U));
}

TEST(CopyPace, ACalmIsWithoutACopyAndEnds) {
    CopyPace pace({.requests = 1000, .time = 1s}, {}, kBegin);
    GuestIo io{.requests = 1000, .time = 1s};
    Instant now = kBegin;
    const auto slow_window = [&] {
        now += limits::kPaceWindow;
        io = {.requests = io.requests + 100, .time = io.time + 100 * 10ms};
        pace.observe(io, now);
    };
    for (int i = 0; i < 100 && pace.take(kChunk, now) < limits::kPaceCalm - limits::kPaceWindow; ++i)
        slow_window();
    EXPECT_GE(pace.take(kChunk, now), limits::kPaceCalm);
    EXPECT_FALSE(pace.is_due(now + limits::kPaceCalm - 1ns));
    now += limits::kPaceCalm - limits::kPaceWindow;
    slow_window();
    EXPECT_EQ(pace.usual(), 10ms);
    slow_window();
    EXPECT_FALSE(pace.is_held_back());
}

TEST(CopyPace, AGuestThatDoesNotAnswerIsCopiedAtTheLeastRate) {
    CopyPace pace({.requests = 1000, .time = 1s}, {}, kBegin);
    pace.miss(kBegin + limits::kPaceWindow);
    EXPECT_EQ(pace.rate(), limits::kPaceRateMin);
    EXPECT_TRUE(pace.is_blind());
    EXPECT_FALSE(pace.is_due(kBegin + limits::kPaceWindow + limits::kPacePatience - 1ns));
    pace.observe({.requests = 1100, .time = 1s + 100ms}, kBegin + 2 * limits::kPacePatience);
    EXPECT_FALSE(pace.is_blind());
}

TEST(CopyPace, LooksOnceAWindow) {
    CopyPace pace({.requests = 1000, .time = 1s}, {}, kBegin);
    EXPECT_FALSE(pace.is_due(kBegin + limits::kPaceWindow - 1ns));
    pace.observe({.requests = 1100, .time = 9s}, kBegin + limits::kPaceWindow - 1ns);
    EXPECT_FALSE(pace.is_held_back());
    EXPECT_TRUE(pace.is_due(kBegin + limits::kPaceWindow));
}

TEST(CopyPace, ALittleMoreOfNearlyNothingIsNotFelt) {
    CopyPace pace({.requests = 1000, .time = 20ms}, {}, kBegin);
    pace.observe({.requests = 1100, .time = 20ms + 9ms}, kBegin + limits::kPaceWindow);
    EXPECT_FALSE(pace.is_held_back());
}

}  // namespace
}  // namespace penumbra::hypervisor
