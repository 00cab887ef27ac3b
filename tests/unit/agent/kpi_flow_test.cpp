#include "agent/kpi_flow.hpp"

#include <gtest/gtest.h>

#include "hypervisor/fake/fake_hypervisor.hpp"
#include "replay/report_outbox.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/agent/news_box.hpp"

namespace penumbra::agent {
namespace {

using penumbra::testing::is_ok;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A KPI flow beside the very outbox a capture has.
class KpiFlowTest : public ::testing::Test {
 protected:
    void SetUp() override {
        auto loop = EventLoop::create();
        ASSERT_TRUE(is_ok(loop));
        loop_ = std::move(*loop);
        hypervisor_.add_vm({.vm = VmId("11111111-0000-4000-8000-000000000001"), .name = "shop"});
        flow_.emplace(KpiFlow::Parts{.loop = *loop_, .inventory = hypervisor_, .clock = clock_, .tell = news_.tell()});
        listen();
    }
    void listen() {
        outbox_.reset();
        auto outbox = replay::ReportOutbox::listen(*loop_, socket_, [this](double rate) { rate_ = rate; });
        ASSERT_TRUE(is_ok(outbox));
        outbox_ = std::move(*outbox);
    }
    void push(std::uint64_t sequence) {
        outbox_->push({.sequence = sequence, .begin = clock_.wall() - seconds(1), .length = seconds(1), .requests = 7});
    }
    template <class Condition>
    void turn_until(Condition condition) {
        const Instant end = BootClock::now() + seconds(10);
        while (!condition()) {
            ASSERT_LT(BootClock::now(), end) << "it did not come about in time";
            ASSERT_TRUE(is_ok(loop_->turn(milliseconds(10))));
        }
    }

    testing::TemporaryDirectory folder_;
    const std::filesystem::path socket_ = folder_.path() / "report";
    const model::Vantage vantage_{.group = GroupId("shop"), .shadow = ShadowId("s1"), .arm = ArmId("treated")};
    testing::FakeClock clock_;
    hypervisor::fake::FakeHypervisor hypervisor_;
    NewsBox news_;
    std::unique_ptr<EventLoop> loop_;
    std::optional<KpiFlow> flow_;
    std::unique_ptr<replay::ReportOutbox> outbox_;
    double rate_ = 0;
};

TEST_F(KpiFlowTest, AddsWhatTheVmUsedAndSaysWhoseWindowItIs) {
    ASSERT_TRUE(is_ok(flow_->attach({.vantage = vantage_, .domain = "shop", .socket = socket_})));
    flow_->tick();
    clock_.advance(seconds(1));
    push(5);
    turn_until([&] {
        flow_->tick();
        return !news_.windows().empty();
    });
    EXPECT_EQ(news_.windows().front().vantage, vantage_);
    EXPECT_EQ(news_.windows().front().sequence, 5U);
    EXPECT_EQ(news_.windows().front().requests, 7U);
}

TEST_F(KpiFlowTest, AWindowStaysWithItsSourceUntilTheCoordinatorHasIt) {
    ASSERT_TRUE(is_ok(flow_->attach({.vantage = vantage_, .domain = "shop", .socket = socket_})));
    push(5);
    turn_until([&] {
        flow_->tick();
        return !news_.windows().empty();
    });
    EXPECT_FALSE(outbox_->empty());
    flow_->release(vantage_, 5);
    turn_until([&] { return outbox_->empty(); });
}

TEST_F(KpiFlowTest, ConnectsAgainAndTellsTheRateAgain) {
    ASSERT_TRUE(is_ok(flow_->attach({.vantage = vantage_, .domain = "shop", .socket = socket_})));
    ASSERT_TRUE(is_ok(flow_->set_rate(vantage_, 2)));
    turn_until([&] { return rate_ == 2; });
    rate_ = 0;
    listen();  // the process was restarted
    turn_until([&] {
        flow_->tick();
        return rate_ == 2;
    });
    EXPECT_TRUE(news_.troubles("kpi").empty());
}

TEST_F(KpiFlowTest, SaysWhoseWindowsWaitForWhatItUsed) {
    ASSERT_TRUE(is_ok(flow_->attach({.vantage = vantage_, .domain = "shop", .socket = socket_})));
    hypervisor_.power_off(VmId("11111111-0000-4000-8000-000000000001"));
    flow_->tick();
    EXPECT_TRUE(news_.troubles("kpi").empty());
    push(5);
    turn_until([&] {
        flow_->tick();
        return !news_.troubles("kpi").empty();
    });
    ASSERT_FALSE(news_.troubles("kpi").empty());
    EXPECT_NE(news_.troubles("kpi").front().find("windows of VM shop wait"), std::string::npos);
    EXPECT_TRUE(news_.windows().empty());
}

TEST_F(KpiFlowTest, SaysThatNobodyReports) {
    outbox_.reset();
    ASSERT_TRUE(is_ok(flow_->attach({.vantage = vantage_, .domain = "shop", .socket = folder_.path() / "other"})));
    flow_->tick();
    EXPECT_FALSE(news_.troubles("kpi").empty());
    EXPECT_TRUE(testing::fails(flow_->set_rate({.group = GroupId("x")}, 1), ErrorCode::kNotFound));
}

TEST_F(KpiFlowTest, HearsAProcessOutThatEnds) {
    ASSERT_TRUE(is_ok(flow_->attach({.vantage = vantage_, .domain = "shop", .socket = socket_})));
    flow_->tick();
    push(8);
    turn_until([&] {
        flow_->tick();
        return !news_.windows().empty();
    });
    ASSERT_TRUE(is_ok(flow_->detach(vantage_)));
    ASSERT_TRUE(is_ok(flow_->detach(vantage_)));
    push(9);
    ASSERT_TRUE(is_ok(loop_->turn(milliseconds(10))));
    EXPECT_EQ(news_.windows().size(), 1U);
}

}  // namespace
}  // namespace penumbra::agent
