#include "cli/progress.hpp"

#include <array>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/limits/cli.hpp"
#include "tests/support/fake_clock.hpp"

namespace penumbra::cli {
namespace {

class ProgressLines : public ::testing::Test {
 protected:
    void SetUp() override { ASSERT_EQ(::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC), 0); }
    void TearDown() override {
        for (const int end : ends_)
            ::close(end);
    }
    std::string written() const {
        std::array<char, 4096> text{};
        const ssize_t length = ::read(ends_[0], text.data(), text.size());
        return {text.data(), static_cast<std::size_t>(length < 0 ? 0 : length)};
    }
    Progress on(bool terminal) { return Progress(ends_[1], terminal, clock_); }

    std::array<int, 2> ends_{-1, -1};
    penumbra::testing::FakeClock clock_;
};

TEST_F(ProgressLines, ATerminalsLineIsWrittenOver) {
    Progress progress = on(true);
    progress.show("1 %");
    progress.show("2 %");
    progress.show("");
    EXPECT_EQ(written(), "\r\033[K1 %\r\033[K2 %\r\033[K");
}

TEST_F(ProgressLines, AFileGetsWhatIsNewAtOnceAndMereNumbersNowAndThen) {
    Progress progress = on(false);
    progress.show("copies, 1 %");
    progress.show("copies, 20 %");
    progress.show("boots");
    EXPECT_EQ(written(), "copies, 1 %\nboots\n");
    progress.show("boots, 3 %");
    progress.show("boots, 4 %");
    clock_.advance(limits::kProgressLineInterval);
    progress.show("boots, 50 %");
    EXPECT_EQ(written(), "boots, 3 %\nboots, 50 %\n");
}

TEST_F(ProgressLines, WhatAHostWroteCannotSteerTheTerminal) {
    Progress progress = on(false);
    progress.show("a\033[2Jb");
    EXPECT_EQ(written(), "a?[2Jb\n");
}

}  // namespace
}  // namespace penumbra::cli
