#include "effects/timer_dead_man.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/limits/effects.hpp"
#include "systemd/fake/fake_unit_control.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::effects {
namespace {

using std::chrono::seconds;
using systemd::fake::FakeUnitControl;
using testing::fails;
using testing::is_ok;

struct TimerDeadManTest : ::testing::Test {
    testing::FakeClock clock;
    testing::TemporaryDirectory folder;
    int runs = 0;
    FakeUnitControl units{clock, [this](const std::vector<std::string>&) {
                              ++runs;
                              return FakeUnitControl::Outcome::kDone;
                          }};
    const std::filesystem::path program = folder.path() / "penumbra-revert";
    TimerDeadMan dead_man{units, program, folder.path()};

    void fire_all() {
        clock.advance(seconds(60) + limits::kDeadManAccuracy);
        units.fire_due();
    }
};

TEST_F(TimerDeadManTest, ArmsNothingOverAProgramThatCannotBeRun) {
    EXPECT_TRUE(fails(dead_man.arm(EffectId("e1"), 1, seconds(10)), ErrorCode::kUnavailable, program.native()));
    std::ofstream(program) << "#!/bin/sh\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_read);
    EXPECT_TRUE(fails(dead_man.arm(EffectId("e1"), 1, seconds(10)), ErrorCode::kUnavailable, "cannot be run"));
    std::filesystem::remove(program);
    std::filesystem::create_directory(program);
    EXPECT_TRUE(fails(dead_man.arm(EffectId("e1"), 1, seconds(10)), ErrorCode::kUnavailable, "it is no file"));
    fire_all();
    EXPECT_EQ(runs, 0);
}

TEST_F(TimerDeadManTest, RunsTheProgramAtTheEndOfTheLease) {
    std::ofstream(program) << "#!/bin/sh\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    ASSERT_TRUE(is_ok(dead_man.arm(EffectId("e1"), 1, seconds(10))));
    fire_all();
    EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace penumbra::effects
