#include "base/backoff.hpp"

#include <chrono>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace penumbra {
namespace {

using std::chrono::milliseconds;

RC_GTEST_PROP(Backoff, StaysBetweenBaseAndCap, (std::uint64_t seed)) {
    Random random(seed);
    const Backoff backoff{.base = milliseconds(100), .cap = milliseconds(2000)};
    milliseconds delay = backoff.base;
    for (int i = 0; i < 50; ++i) {
        delay = backoff.next(delay, random);
        RC_ASSERT(delay >= backoff.base);
        RC_ASSERT(delay <= backoff.cap);
    }
}

RC_GTEST_PROP(Backoff, ASeedReplays, (std::uint64_t seed)) {
    Random first(seed);
    Random second(seed);
    const Backoff backoff;
    RC_ASSERT(backoff.next(backoff.base, first) == backoff.next(backoff.base, second));
}

TEST(Uniform, CoversItsRangeEvenly) {
    Random random(1);
    std::array<int, 7> counts{};
    for (int i = 0; i < 70'000; ++i)
        ++counts.at(uniform(random, counts.size()));
    for (const int count : counts)
        EXPECT_NEAR(count, 10'000, 500);  // 5 standard deviations
}

}  // namespace
}  // namespace penumbra
