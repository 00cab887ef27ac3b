#include "netisolate/fake/fake_switch.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::netisolate {
namespace {

using namespace std::chrono_literals;
using testing::fails;
using testing::is_ok;

/// What both the fake and Open vSwitch do is in tests/contract/netisolate; here stands what only a test can ask of a
/// fake.
class FakeSwitchTest : public ::testing::Test {
 protected:
    FakeSwitchTest() {
        control.put_bridge({.name = "secure", .owner = "o", .settings = {.fail_mode = FailMode::kSecure}});
        control.put_bridge({.name = "production"});
    }
    testing::FakeClock clock;
    FakeSwitch control{clock};
    const Flow drop{.key = {.priority = 60000, .match = "in_port=2"}, .cookie = 7, .hard_timeout = 30s};
};

TEST_F(FakeSwitchTest, ARuleWithAHardTimeoutIsGoneWhenItsTimeIsOver) {
    ASSERT_TRUE(is_ok(control.apply("secure", {.add = {drop}})));
    clock.advance(29s);
    ASSERT_EQ(control.flows("secure")->size(), 1u);
    clock.advance(1s);
    EXPECT_TRUE(control.flows("secure")->empty());
}

TEST_F(FakeSwitchTest, CountsHits) {
    ASSERT_TRUE(is_ok(control.apply("secure", {.add = {drop}})));
    control.hit("secure", drop.key, 12);
    EXPECT_EQ(control.flows("secure")->front().packets, 12u);
}

TEST_F(FakeSwitchTest, ARestartEmptiesASecureBridgeAndFloodsAStandaloneOne) {
    ASSERT_TRUE(is_ok(control.apply("secure", {.add = {drop}})));
    control.restart();
    EXPECT_TRUE(control.flows("secure")->empty());
    EXPECT_EQ(control.flows("production")->front().actions.front().kind, ActionKind::kNormal);
}

TEST_F(FakeSwitchTest, AFailingCallChangesNothing) {
    control.fail_call(1, {.code = ErrorCode::kUnavailable, .message = "ovs-vswitchd is down"});
    EXPECT_TRUE(fails(control.apply("secure", {.add = {drop}}), ErrorCode::kUnavailable));
    EXPECT_TRUE(control.flows("secure")->empty());
}

}  // namespace
}  // namespace penumbra::netisolate
