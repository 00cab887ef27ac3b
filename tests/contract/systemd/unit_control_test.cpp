#include "systemd/unit_control.hpp"

#include <gtest/gtest.h>

#include "tests/contract/systemd/rig.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::systemd {
namespace {

using namespace std::chrono_literals;
using contract::Rig;
using penumbra::testing::fails;
using penumbra::testing::is_ok;

class UnitControlContract : public ::testing::Test {
 protected:
    void SetUp() override {
        std::string why;
        rig_ = contract::make_rig(why);
        if (rig_ == nullptr) GTEST_SKIP() << why;
    }
    UnitControl& control() { return rig_->control(); }
    Rig& rig() { return *rig_; }
    TransientTimer timer(const std::string& name, Rig::Course course, std::chrono::microseconds after) {
        return {.name = name,
                .description = "A timer of the contract suite: \"quoted\" & 100 %",
                .after = after,
                .accuracy = 1ms,
                .retry_interval = 100ms,
                .run_max = 1s,
                .command = rig_->command(name, course)};
    }
    UnitState state(const std::string& unit) {
        const auto state = control().state(unit);
        EXPECT_TRUE(is_ok(state));
        return state.value_or(UnitState::kFailed);
    }

 private:
    std::unique_ptr<Rig> rig_;
};

TEST_F(UnitControlContract, StartsAnInstanceOfATemplateAndStopsItAgain) {
    ASSERT_TRUE(is_ok(control().start("good@a1.service")));
    EXPECT_EQ(state("good@a1.service"), UnitState::kActive);
    EXPECT_EQ(state("good@a2.service"), UnitState::kInactive);
    EXPECT_TRUE(is_ok(control().start("good@a1.service")));
    ASSERT_TRUE(is_ok(control().stop("good@a1.service")));
    EXPECT_EQ(state("good@a1.service"), UnitState::kInactive);
    EXPECT_TRUE(is_ok(control().stop("good@a1.service")));
}

TEST_F(UnitControlContract, AFailedStartIsAnErrorAndStaysToBeSeen) {
    EXPECT_TRUE(fails(control().start("bad@a1.service"), ErrorCode::kInternal, "starting bad@a1.service"));
    EXPECT_EQ(state("bad@a1.service"), UnitState::kFailed);
    EXPECT_TRUE(is_ok(control().stop("bad@a1.service")));
}

TEST_F(UnitControlContract, AUnitNobodyKnowsIsInactiveAndCannotBeStarted) {
    EXPECT_TRUE(fails(control().start("nobody@a1.service"), ErrorCode::kNotFound));
    EXPECT_EQ(state("nobody@a1.service"), UnitState::kInactive);
    EXPECT_TRUE(is_ok(control().stop("nobody@a1.service")));
}

TEST_F(UnitControlContract, ATimerRunsItsCommandOnceAndIsGone) {
    ASSERT_TRUE(is_ok(control().start_timer(timer("once-e:1", Rig::Course::kDone, 300ms))));
    EXPECT_EQ(state("once-e:1.timer"), UnitState::kActive);
    EXPECT_TRUE(rig().until([&] { return rig().runs("once-e:1") == 1; }));
    // Gone with its command: the same name can be used again.
    EXPECT_TRUE(
        rig().until([&] { return control().start_timer(timer("once-e:1", Rig::Course::kDone, 100ms)).has_value(); }));
    EXPECT_TRUE(rig().until([&] { return rig().runs("once-e:1") == 2; }));
    EXPECT_TRUE(rig().until([&] { return state("once-e:1.timer") == UnitState::kInactive; }));
}

TEST_F(UnitControlContract, ANameIsArmedOnce) {
    ASSERT_TRUE(is_ok(control().start_timer(timer("twice", Rig::Course::kDone, 1h))));
    EXPECT_TRUE(fails(control().start_timer(timer("twice", Rig::Course::kDone, 1h)), ErrorCode::kAlreadyExists));
    EXPECT_TRUE(is_ok(control().stop_timer("twice")));
    EXPECT_TRUE(is_ok(control().start_timer(timer("twice", Rig::Course::kDone, 1h))));
    EXPECT_TRUE(is_ok(control().stop_timer("twice")));
}

TEST_F(UnitControlContract, AStoppedTimerDoesNotFire) {
    ASSERT_TRUE(is_ok(control().start_timer(timer("stopped", Rig::Course::kDone, 300ms))));
    ASSERT_TRUE(is_ok(control().stop_timer("stopped")));
    EXPECT_EQ(state("stopped.timer"), UnitState::kInactive);
    EXPECT_TRUE(is_ok(control().stop_timer("stopped")));
    ASSERT_TRUE(is_ok(control().start_timer(timer("later", Rig::Course::kDone, 600ms))));
    ASSERT_TRUE(rig().until([&] { return rig().runs("later") == 1; }));
    EXPECT_EQ(rig().runs("stopped"), 0U);
}

TEST_F(UnitControlContract, ACommandThatFailsIsRunAgainUntilItIsDone) {
    ASSERT_TRUE(is_ok(control().start_timer(timer("stubborn", Rig::Course::kFailsTwice, 100ms))));
    EXPECT_TRUE(rig().until([&] { return rig().runs("stubborn") == 3; }));
    EXPECT_TRUE(rig().until([&] { return state("stubborn.service") == UnitState::kInactive; }));
    EXPECT_EQ(rig().runs("stubborn"), 3U);
}

TEST_F(UnitControlContract, ACommandThatHangsIsKilledAndRunAgain) {
    ASSERT_TRUE(is_ok(control().start_timer(timer("hanging", Rig::Course::kHangsOnce, 100ms))));
    EXPECT_TRUE(rig().until([&] { return rig().runs("hanging") == 2; }));
}

TEST_F(UnitControlContract, ATimerWithoutACommandIsRefused) {
    EXPECT_TRUE(fails(control().start_timer({.name = "empty", .after = 1h}), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::systemd
