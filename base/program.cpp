#include "base/program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/limits/program.hpp"
#include "base/unique_fd.hpp"

namespace penumbra {
namespace {

/// A program that was started: the leader of a process group of its own, which does not outlive this.
class Program {
 public:
    explicit Program(pid_t pid) : pid_(pid), ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    Program(Program&&) = delete;
    Program& operator=(Program&&) = delete;
    ~Program() {
        if (pid_ > 0) wait();
    }

    /// Readable once it has ended.
    [[nodiscard]] const UniqueFd& ended() const noexcept { return ended_; }
    /// Kills it, unless it has ended, and whatever it started.
    int wait() {
        ::kill(-pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        constexpr int kBySignal = 128;
        return WIFSIGNALED(status) ? kBySignal + WTERMSIG(status) : WEXITSTATUS(status);
    }

 private:
    pid_t pid_;
    UniqueFd ended_;
};

/// What a program begins with: no signal blocked or ignored, no file of ours.
class Beginning {
 public:
    explicit Beginning(const UniqueFd& output) {
        ASSERT(::posix_spawn_file_actions_init(&files_) == 0 && ::posix_spawnattr_init(&attributes_) == 0);
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ASSERT(::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
               ::posix_spawn_file_actions_adddup2(&files_, output.get(), STDOUT_FILENO) == 0 &&
               ::posix_spawn_file_actions_adddup2(&files_, output.get(), STDERR_FILENO) == 0 &&
               ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1) == 0 &&
               ::posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
               ::posix_spawnattr_setsigdefault(&attributes_, &all) == 0 &&
               ::posix_spawnattr_setpgroup(&attributes_, 0) == 0 &&
               ::posix_spawnattr_setflags(&attributes_,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0);
    }
    Beginning(const Beginning&) = delete;
    Beginning& operator=(const Beginning&) = delete;
    Beginning(Beginning&&) = delete;
    Beginning& operator=(Beginning&&) = delete;
    ~Beginning() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    [[nodiscard]] Result<pid_t> start(std::vector<std::string> command) const {
        std::vector<char*> arguments;
        for (std::string& argument : command)
            arguments.push_back(argument.data());
        arguments.push_back(nullptr);
        std::string language = "LC_ALL=C";
        std::array<char*, 2> environment = {language.data(), nullptr};
        pid_t pid = -1;
        const int error =
            ::posix_spawn(&pid, arguments.front(), &files_, &attributes_, arguments.data(), environment.data());
        if (error != 0) return fail_errno(error, fmt::format("starting {}", command.front()));
        return pid;
    }

 private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

/// Takes what is there now; false at the end.
bool take(const UniqueFd& from, std::string& output) {
    std::array<char, limits::kProgramOutputBytesMax> piece{};
    for (;;) {
        const ssize_t count = ::read(from.get(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 && errno == EAGAIN;
        output.append(piece.data(), std::min(static_cast<std::size_t>(count), piece.size() - output.size()));
    }
}

}  // namespace

Result<ProgramEnd> run_program(const std::vector<std::string>& command, std::chrono::milliseconds patience) {
    ASSERT(!command.empty() && command.front().starts_with('/'));
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "making a pipe");
    const UniqueFd output(ends[0]);
    UniqueFd input(ends[1]);
    if (::fcntl(output.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno(errno, "reading a pipe");
    Program program(TRY(Beginning(input).start(command)));
    input.reset();
    if (!program.ended().valid()) return fail_errno(errno, fmt::format("watching {}", command.front()));
    ProgramEnd end;
    const Instant deadline = BootClock::now() + patience;
    bool speaks = true;
    for (;;) {
        std::array<pollfd, 2> wanted = {{{.fd = program.ended().get(), .events = POLLIN, .revents = 0},
                                         {.fd = speaks ? output.get() : -1, .events = POLLIN, .revents = 0}}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - BootClock::now());
        if (left.count() <= 0)
            return fail(ErrorCode::kDeadlineExceeded, fmt::format("{} did not end within {} s and was killed",
                                                                  command.front(), patience.count() / 1000));
        if (::poll(wanted.data(), wanted.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
            return fail_errno(errno, fmt::format("waiting for {}", command.front()));
        if (speaks) speaks = take(output, end.output);
        if (wanted[0].revents != 0) break;
    }
    if (speaks) take(output, end.output);
    end.status = program.wait();
    return end;
}

}  // namespace penumbra
