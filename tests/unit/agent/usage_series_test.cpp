#include "agent/usage_series.hpp"

#include <gtest/gtest.h>

namespace penumbra::agent {
namespace {

using std::chrono::milliseconds;

WallTime at(std::int64_t ms) {
    return WallTime(milliseconds(1'000'000 + ms));
}
hypervisor::VmCounters used(std::int64_t cpu_ms, std::uint64_t read, std::uint64_t written) {
    return {.cpu_time = milliseconds(cpu_ms), .disks = {.read = Bytes(read), .written = Bytes(written)}};
}

TEST(UsageSeries, LaysStraightLinesBetweenSamples) {
    UsageSeries series;
    series.add(at(500), used(1000, 0, 100));
    series.add(at(1500), used(1500, 1000, 100));
    series.add(at(2500), used(3500, 1000, 300));
    const auto usage = series.between(at(1000), at(2000));
    ASSERT_TRUE(usage.has_value());
    EXPECT_NEAR(usage->cpu_share, 1.25, 1e-9);  // half of 0.5 s and half of 2 s
    EXPECT_EQ(usage->disk_read_bytes, 500U);
    EXPECT_EQ(usage->disk_write_bytes, 100U);
}

TEST(UsageSeries, WaitsForASampleBehindTheWindow) {
    UsageSeries series;
    EXPECT_FALSE(series.between(at(0), at(1000)).has_value());
    series.add(at(0), used(0, 0, 0));
    series.add(at(999), used(500, 0, 0));
    EXPECT_FALSE(series.between(at(0), at(1000)).has_value());
    series.add(at(1000), used(501, 0, 0));
    EXPECT_TRUE(series.between(at(0), at(1000)).has_value());
}

TEST(UsageSeries, SaysNothingOfATimeBeforeItBegan) {
    UsageSeries series;
    series.add(at(5000), used(500, 7, 7));
    EXPECT_EQ(series.between(at(1000), at(2000)), Usage{});
}

TEST(UsageSeries, BeginsAnewWhenTheVmWasRestarted) {
    UsageSeries series;
    series.add(at(0), used(90'000, 5000, 5000));
    series.add(at(1000), used(100, 10, 0));
    series.add(at(2000), used(600, 20, 0));
    const auto usage = series.between(at(1000), at(2000));
    ASSERT_TRUE(usage.has_value());
    EXPECT_NEAR(usage->cpu_share, 0.5, 1e-9);
    EXPECT_EQ(usage->disk_read_bytes, 10U);
}

TEST(UsageSeries, IgnoresSamplesWhileTheWallClockIsBehind) {
    UsageSeries series;
    series.add(at(0), used(0, 0, 0));
    series.add(at(1000), used(1000, 0, 0));
    series.add(at(500), used(1500, 0, 0));
    series.add(at(2000), used(3000, 0, 0));
    EXPECT_NEAR(series.between(at(1000), at(2000))->cpu_share, 2, 1e-9);
}

}  // namespace
}  // namespace penumbra::agent
