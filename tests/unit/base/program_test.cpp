#include "base/program.hpp"

#include <csignal>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/limits/program.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::fails;
using testing::is_ok;

Result<ProgramEnd> shell(const std::string& script, milliseconds patience = seconds(20)) {
    return run_program({"/bin/sh", "-c", script}, patience);
}

TEST(Program, GivesItsStatusAndWhatItSaid) {
    const auto end = shell("echo out; echo err >&2; exit 3");
    ASSERT_TRUE(is_ok(end));
    EXPECT_EQ(end->status, 3);
    EXPECT_EQ(end->output, "out\nerr\n");
    EXPECT_EQ(shell("kill -TERM $$")->status, 128 + SIGTERM);
}

TEST(Program, ItsArgumentsAreNoShellsWords) {
    const auto end = run_program({"/bin/echo", "-n", "$HOME;", "a  b", "*"}, seconds(20));
    ASSERT_TRUE(is_ok(end));
    EXPECT_EQ(end->output, "$HOME; a  b *");
}

TEST(Program, HasNothingOfOurs) {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, nullptr), 0);
    const auto signals = run_program({"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, seconds(20));
    ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
    ASSERT_TRUE(is_ok(signals));
    // 32 and 33 are the C library's own, which it ignores in whatever it spawns.
    EXPECT_EQ(signals->output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000\n");
    EXPECT_EQ(run_program({"/usr/bin/env"}, seconds(20))->output, "LC_ALL=C\n");
    // 3 is the folder that is being listed.
    EXPECT_EQ(run_program({"/bin/ls", "/proc/self/fd"}, seconds(20))->output, "0\n1\n2\n3\n");
}

TEST(Program, OneThatDoesNotEndIsKilledWithWhatItStarted) {
    const Instant begun = BootClock::now();
    EXPECT_TRUE(fails(shell("sleep 300 & exec sleep 300", milliseconds(200)), ErrorCode::kDeadlineExceeded, "killed"));
    EXPECT_LT(BootClock::now() - begun, seconds(100));
}

TEST(Program, OneThatEndsIsNotWaitedForBecauseOfWhatItLeftBehind) {
    const Instant begun = BootClock::now();
    const auto end = shell("sleep 300 & echo $!");
    ASSERT_TRUE(is_ok(end));
    EXPECT_EQ(end->status, 0);
    EXPECT_LT(BootClock::now() - begun, seconds(100));
}

TEST(Program, OneThatSaysTooMuchIsReadToItsEnd) {
    const auto end = shell("head -c 1000000 /dev/zero; exit 4");
    ASSERT_TRUE(is_ok(end));
    EXPECT_EQ(end->status, 4);
    EXPECT_EQ(end->output.size(), limits::kProgramOutputBytesMax);
}

TEST(Program, OneThatIsNotThereIsNotFound) {
    EXPECT_TRUE(fails(run_program({"/nonexistent/tool"}, seconds(20)), ErrorCode::kNotFound, "/nonexistent/tool"));
}

}  // namespace
}  // namespace penumbra
