#include "journal/lock.hpp"

#include <chrono>
#include <csignal>
#include <functional>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/durable_file.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::journal {
namespace {

using penumbra::testing::is_ok;
using penumbra::testing::TemporaryDirectory;

/// A process of its own that runs `work`, then says so and hangs until it is killed.
class Child {
 public:
    explicit Child(const std::function<void()>& work) {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            work();
            static_cast<void>(!::write(ends[1], "!", 1));
            while (true)
                ::pause();
        }
        ::close(ends[1]);
        char byte = 0;
        EXPECT_EQ(::read(ends[0], &byte, 1), 1);
        ::close(ends[0]);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The signal it died of; 0 while it lives.
    [[nodiscard]] int killed_by() {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) != pid_) return 0;
        pid_ = -1;
        return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
    }

 private:
    pid_t pid_ = -1;
};

std::function<void()> hold(const TemporaryDirectory& folder, Role role) {
    return [&folder, role] {
        static Result<Lock> lock = Lock::acquire(folder.path(), role);
        if (!lock.has_value()) ::_exit(1);
    };
}

TEST(JournalLock, IsGivenOnAtOnceWhenItsHolderEnds) {
    const TemporaryDirectory folder;
    {
        ASSERT_TRUE(is_ok(Lock::acquire(folder.path(), Role::kAgent)));
    }
    const Result<Lock::TakenOver> taken = Lock::take_over(folder.path());
    ASSERT_TRUE(is_ok(taken));
    EXPECT_FALSE(taken->killed.has_value());
}

TEST(JournalLock, TakingOverKillsAStoppedAgentThatHoldsIt) {
    const TemporaryDirectory folder;
    Child agent(hold(folder, Role::kAgent));
    ASSERT_EQ(::kill(agent.pid(), SIGSTOP), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(agent.pid(), &status, WUNTRACED), agent.pid());
    const Result<Lock::TakenOver> taken = Lock::take_over(folder.path());
    ASSERT_TRUE(is_ok(taken));
    ASSERT_TRUE(taken->killed.has_value());
    EXPECT_EQ(taken->killed->pid, agent.pid());
    EXPECT_EQ(taken->killed_was, 'T');
    EXPECT_EQ(agent.killed_by(), SIGKILL);
}

TEST(JournalLock, TakingOverWaitsForAnotherReverter) {
    const TemporaryDirectory folder;
    Child reverter(hold(folder, Role::kReverter));
    // A third process ends it after the take-over has begun to wait; were it killed by the take-over, killed would say.
    Child ender([&] {
        if (::fork() == 0) {
            const timespec while_it_waits{.tv_sec = 0, .tv_nsec = 100'000'000};
            ::nanosleep(&while_it_waits, nullptr);
            ::kill(reverter.pid(), SIGTERM);
            ::_exit(0);
        }
    });
    const Result<Lock::TakenOver> taken = Lock::take_over(folder.path());
    ASSERT_TRUE(is_ok(taken));
    EXPECT_FALSE(taken->killed.has_value());
    EXPECT_EQ(reverter.killed_by(), SIGTERM);
}

// The file names a pid that belongs to somebody else by now: it is not touched, whoever holds the lock.
TEST(JournalLock, NeverKillsAProcessThatGotTheAgentsPid) {
    const TemporaryDirectory folder;
    Child innocent([] {});
    const std::string text =
        fmt::format("agent {} {} {}\n", innocent.pid(), 1, *current_boot_id());  // start time of another process
    ASSERT_TRUE(is_ok(write_file_durably(folder.path() / "lock", text)));
    // Somebody unnamed holds the lock for a while, so that the take-over has to look at the name.
    Child holder([&] {
        const int fd = ::open((folder.path() / "lock").c_str(), O_RDWR | O_CLOEXEC);
        if (::flock(fd, LOCK_EX) != 0) ::_exit(1);
        if (::fork() == 0) {
            const timespec while_it_waits{.tv_sec = 0, .tv_nsec = 100'000'000};
            ::nanosleep(&while_it_waits, nullptr);
            ::kill(::getppid(), SIGKILL);
            ::_exit(0);
        }
    });
    const Result<Lock::TakenOver> taken = Lock::take_over(folder.path());
    ASSERT_TRUE(is_ok(taken));
    EXPECT_FALSE(taken->killed.has_value());
    EXPECT_EQ(innocent.killed_by(), 0);
}

}  // namespace
}  // namespace penumbra::journal
