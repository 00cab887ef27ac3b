#include "agent/core/kpi_outbox.hpp"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/backoff.hpp"
#include "base/limits/agent.hpp"

namespace penumbra::agent {
namespace {

using std::chrono::seconds;
const Instant kStart{std::chrono::hours(1)};

model::KpiWindow window(std::string arm, std::uint64_t sequence) {
    return {.vantage = {.group = GroupId("shop"), .shadow = ShadowId("s1"), .arm = ArmId(std::move(arm))},
            .sequence = sequence};
}

// Whatever is lost, the other side sees every window of a vantage once and in order if it takes only what is newer.
RC_GTEST_PROP(KpiOutbox, LosesNothingAndKeepsTheOrder, (std::uint64_t seed)) {
    Random random(seed);
    KpiOutbox outbox;
    std::map<model::Vantage, std::uint64_t> committed;
    std::map<std::string, std::uint64_t> measured;
    Instant now = kStart;
    for (int round = 0; round < 200; ++round) {
        const std::string arm = uniform(random, 2) == 0 ? "control" : "treated";
        if (round < 120) outbox.add(window(arm, ++measured[arm]));
        now += seconds(1 + uniform(random, 3));
        const auto report = outbox.next(now, seconds(2));
        if (!report.has_value() || (round < 150 && uniform(random, 3) == 0)) continue;  // lost
        for (const model::KpiWindow& sent : report->windows) {
            std::uint64_t& last = committed[sent.vantage];
            RC_ASSERT(sent.sequence <= last + 1);
            last = std::max(last, sent.sequence);
        }
        for (const auto& [vantage, last] : committed)
            outbox.acknowledge(vantage, last);
    }
    RC_ASSERT(outbox.size() == 0U);
    for (const auto& [arm, count] : measured)
        RC_ASSERT(committed[window(arm, 0).vantage] == count);
}

TEST(KpiOutbox, DropsTheOldestOfTheLongestWhenFull) {
    KpiOutbox outbox;
    for (std::uint64_t n = 1; n <= limits::kKpiWindowsUnackedMax; ++n)
        EXPECT_TRUE(outbox.add(window("control", n)));
    EXPECT_TRUE(outbox.add(window("treated", 1)));
    EXPECT_EQ(outbox.size(), limits::kKpiWindowsUnackedMax);
    EXPECT_EQ(outbox.dropped(), 1U);
    EXPECT_EQ(outbox.next(kStart, seconds(1))->windows.front().sequence, 2U);
}

TEST(KpiOutbox, SaysWhenASourceRepeatsWhatIsCommitted) {
    KpiOutbox outbox;
    EXPECT_TRUE(outbox.add(window("control", 1)));
    EXPECT_TRUE(outbox.add(window("control", 1)));
    EXPECT_EQ(outbox.size(), 1U);
    outbox.acknowledge(window("control", 1).vantage, 1);
    EXPECT_FALSE(outbox.add(window("control", 1)));
    EXPECT_EQ(outbox.size(), 0U);
}

}  // namespace
}  // namespace penumbra::agent
