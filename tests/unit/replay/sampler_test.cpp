#include "replay/sampler.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "replay/schedule.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::replay {
namespace {

constexpr Sampler::Key kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
const Sampler kShare(kKey, Sampler::Purpose::kShare);
const Sampler kMultiple(kKey, Sampler::Purpose::kMultiple);

packet::Endpoint client(std::uint32_t number) {
    return {packet::IpAddress::v4(0xcb007100 + number / 20000), static_cast<std::uint16_t>(1024 + number % 20000 * 2)};
}

RC_GTEST_PROP(Sampler, ASmallerShareLiesInsideALargerOne, ()) {
    const packet::Endpoint who = client(*rc::gen::inRange<std::uint32_t>(0, 1000000));
    const double small = *rc::gen::inRange(0, 1001) / 1000.0;
    const double large = small + (1 - small) * *rc::gen::inRange(0, 1001) / 1000.0;
    if (kShare.admits(who, small)) RC_ASSERT(kShare.admits(who, large));
    RC_ASSERT(kShare.admits(who, 1));
    RC_ASSERT(!kShare.admits(who, 0));
    RC_ASSERT(kMultiple.copies(who, 2 * small) <= kMultiple.copies(who, 2 * large));
}

// Few addresses and even ports only, as behind one NAT. Three standard deviations: the key is fixed, so it never flaps.
TEST(Sampler, TakesTheShareThatWasAsked) {
    constexpr int kClients = 20000;
    for (const double share : {0.5, 0.1, 1.0 / 16, 0.01}) {
        int admitted = 0;
        int copies = 0;
        for (int i = 0; i < kClients; ++i) {
            admitted += kShare.admits(client(static_cast<std::uint32_t>(i)), share) ? 1 : 0;
            copies += static_cast<int>(kMultiple.copies(client(static_cast<std::uint32_t>(i)), 1 + share));
        }
        const double sigma = std::sqrt(kClients * share * (1 - share));
        EXPECT_NEAR(admitted, kClients * share, 3 * sigma) << share;
        EXPECT_NEAR(copies, kClients * (1 + share), 3 * sigma) << share;
    }
}

TEST(Sampler, ReadsItsKey) {
    EXPECT_TRUE(Sampler::parse_key("0102030405060708090a0b0c0d0e0f10").value() == kKey);
    EXPECT_TRUE(penumbra::testing::fails(Sampler::parse_key("01"), ErrorCode::kInvalidArgument, "32 hex"));
    EXPECT_TRUE(
        penumbra::testing::fails(Sampler::parse_key("0102030405060708090a0b0c0d0e0fxx"), ErrorCode::kInvalidArgument));
}

TEST(Schedule, StaysAConstantDelayBehindAndShiftsCopiesAlike) {
    const Schedule schedule({.delay = std::chrono::seconds(2), .multiple = 3}, kMultiple);
    Exchange first{.client = client(7), .request_begin = Instant(std::chrono::seconds(10))};
    Exchange second = first;
    second.request_begin += std::chrono::milliseconds(30);
    const auto early = schedule.plan(first);
    const auto later = schedule.plan(second);
    ASSERT_EQ(early.size(), 3U);
    EXPECT_EQ(early[0].at, Instant(std::chrono::seconds(12)));
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(early[i].copy, i);
        EXPECT_EQ(later[i].at - early[i].at, std::chrono::milliseconds(30));
        EXPECT_LT(early[i].at - early[0].at, std::chrono::seconds(1));
    }
}

}  // namespace
}  // namespace penumbra::replay
