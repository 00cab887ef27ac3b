#include "replay/kpi.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace penumbra::replay {
namespace {

using namespace std::chrono_literals;

const WallTime kStart{std::chrono::milliseconds(1'800'000'000'400)};
const Instant kBoot{1000s};
constexpr auto kAhead = 1'799'999'000'400ms;  // kStart - kBoot

Exchange answered(std::chrono::milliseconds after_start, std::chrono::microseconds took, std::uint16_t status = 200) {
    const Instant end = kBoot + after_start;
    return {.request_begin = end - took, .response_end = end, .status = status};
}

std::vector<model::KpiWindow> close_at(KpiSeries& series, std::chrono::milliseconds after_start) {
    model::ReplayLedger none;
    return series.close(kStart + after_start, none);
}

TEST(KpiSeries, WindowsBeginOnWholeSecondsAndHoldWhatEndedInThem) {
    KpiSeries series({.group = GroupId("shop")}, kStart);
    series.add(answered(100ms, 1500us), kAhead);
    series.add(answered(500ms, 2500us), kAhead);
    series.add(answered(700ms, 9000us, 503), kAhead);
    EXPECT_TRUE(close_at(series, 800ms).empty());
    const auto windows = close_at(series, 900ms);
    ASSERT_EQ(windows.size(), 1U);
    EXPECT_EQ(windows[0].vantage.group.text(), "shop");
    EXPECT_EQ(windows[0].begin, WallTime(1'800'000'000'000ms));
    EXPECT_EQ(windows[0].length, 1s);
    EXPECT_EQ(windows[0].sequence, 1'800'000'000U);
    EXPECT_EQ(windows[0].requests, 2U);
    EXPECT_EQ(windows[0].errors, 0U);
    ASSERT_EQ(windows[0].response_time.size(), 2U);
    EXPECT_NEAR(static_cast<double>(windows[0].response_time[0].value_us), 1500, 2);
    const auto next = close_at(series, 1900ms);
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next[0].sequence, 1'800'000'001U);
    EXPECT_EQ(next[0].errors, 1U);
}

TEST(KpiSeries, EmptyWindowsAreWindowsAndTheLedgerGoesIntoTheLast) {
    KpiSeries series({}, kStart);
    model::ReplayLedger ledger{.captured = 3, .replayed = 3};
    const auto windows = series.close(kStart + 3500ms, ledger);
    ASSERT_EQ(windows.size(), 3U);
    EXPECT_EQ(windows[0].ledger, model::ReplayLedger{});
    EXPECT_EQ(windows[2].ledger.captured, 3U);
    EXPECT_EQ(ledger, model::ReplayLedger{});
}

TEST(KpiSeries, AnExchangeWithoutAnswerHasNoResponseTime) {
    KpiSeries series({}, kStart);
    Exchange exchange = answered(100ms, 5ms);
    exchange.end = ExchangeEnd::kServerClosed;
    series.add(exchange, kAhead);
    exchange.end = ExchangeEnd::kClientClosed;
    series.add(exchange, kAhead);
    const auto windows = close_at(series, 900ms);
    EXPECT_EQ(windows[0].requests, 2U);
    EXPECT_EQ(windows[0].errors, 1U);
    EXPECT_TRUE(windows[0].response_time.empty());
}

// However late exchanges come and however the wall clock is stepped: each is counted once, numbers have no hole.
RC_GTEST_PROP(KpiSeries, CountsEveryExchangeOnceWhateverTheClockDoes, ()) {
    KpiSeries series({}, kStart);
    WallTime wall = kStart;
    std::uint64_t added = 0;
    std::uint64_t counted = 0;
    std::uint64_t sequence = 1'800'000'000 - 1;
    const auto take = [&](const std::vector<model::KpiWindow>& windows) {
        for (const model::KpiWindow& window : windows) {
            RC_ASSERT(window.sequence == ++sequence);
            counted += window.requests;
        }
    };
    for (int step = 0; step < 40; ++step) {
        wall += std::chrono::milliseconds(*rc::gen::inRange(0, 1500));
        if (*rc::gen::inRange(0, 12) == 0) wall += std::chrono::seconds(*rc::gen::inRange(-20000, 20000));
        const Instant end = kBoot + std::chrono::milliseconds(*rc::gen::inRange(-5000, 100));
        series.add({.request_begin = end, .response_end = end}, wall.time_since_epoch() - kBoot.time_since_epoch());
        ++added;
        model::ReplayLedger none;
        take(series.close(wall, none));
    }
    model::ReplayLedger none;
    take(series.close(wall + std::chrono::hours(30), none));
    take(series.close(wall + std::chrono::hours(30) + 5s, none));
    RC_ASSERT(counted == added);
}

}  // namespace
}  // namespace penumbra::replay
