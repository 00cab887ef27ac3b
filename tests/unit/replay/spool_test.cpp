#include "replay/spool.hpp"

#include <deque>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::replay {
namespace {

// Against a queue in memory: the same bytes in the same order, and never more than the capacity.
RC_GTEST_PROP(Spool, IsAQueueOfBytesThatRefusesWhatDoesNotFit, ()) {
    const penumbra::testing::TemporaryDirectory folder;
    constexpr std::size_t kCapacity = 50;
    Spool spool = Spool::open(folder.path(), Bytes(kCapacity)).value();
    std::deque<std::byte> model;
    std::uint8_t next = 0;
    for (int step = 0; step < 60; ++step) {
        const auto size = *rc::gen::inRange<std::size_t>(0, 30);
        if (*rc::gen::arbitrary<bool>()) {
            packet::Buffer bytes;
            for (std::size_t i = 0; i < size; ++i)
                packet::append_u8(bytes, next++);
            const bool fits = model.size() + size <= kCapacity;
            RC_ASSERT(spool.append(bytes).value() == fits);
            if (fits) model.insert(model.end(), bytes.begin(), bytes.end());
        } else {
            const packet::Buffer front = spool.front(size).value();
            RC_ASSERT(front.size() == std::min(size, model.size()));
            RC_ASSERT(std::equal(front.begin(), front.end(), model.begin()));
            spool.consume(front.size());
            model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(front.size()));
        }
        RC_ASSERT(spool.size() == model.size());
    }
}

TEST(Spool, SaysWhereItCouldNotBeMade) {
    EXPECT_TRUE(penumbra::testing::fails(Spool::open("/nowhere", Bytes(1)), ErrorCode::kNotFound, "/nowhere"));
}

}  // namespace
}  // namespace penumbra::replay
