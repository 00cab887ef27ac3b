// Why pidfd: between reading a pid and killing it, the process can end and the pid be given to somebody else. The fd is
// opened first, then the start time is compared, then the kill goes through the fd: it can only reach what was
// compared.
#include "journal/lock.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/durable_file.hpp"
#include "base/limits/effects.hpp"
#include "journal/line_record.hpp"

namespace penumbra::journal {

namespace {

constexpr std::size_t kProcFileBytesMax = 4096;
constexpr auto kRetryInterval = std::chrono::milliseconds(20);

struct ProcessFacts {
    char state = 0;
    std::uint64_t start_ticks = 0;
};

/// Fields 3 and 22 of /proc/PID/stat; the command's name in field 2 may hold anything, so count from its last ')'.
Result<ProcessFacts> facts_of(pid_t pid) {
    const std::string path = fmt::format("/proc/{}/stat", pid);
    const std::string text = TRY(read_file(path, kProcFileBytesMax));
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= text.size()) {
        return fail(ErrorCode::kInternal, path + " is not as proc(5) says");
    }
    std::string_view rest = std::string_view(text).substr(name_end + 2);
    ProcessFacts facts{.state = rest.front()};
    for (int field = 3; field < 22; ++field)
        rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
    facts.start_ticks = TRY(parse_number<std::uint64_t>(rest.substr(0, rest.find(' '))));
    return facts;
}

std::string encode(const Holder& holder) {
    return fmt::format("{} {} {} {}\n", holder.role == Role::kAgent ? "agent" : "reverter", holder.pid,
                       holder.start_ticks, holder.boot_id);
}

/// Nothing when the file is empty or half written: its holder is only just taking it.
std::optional<Holder> decode_holder(std::string_view text) {
    std::string_view words[4];
    for (std::string_view& word : words) {
        word = text.substr(0, text.find_first_of(" \n"));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    const Result<pid_t> pid = parse_number<pid_t>(words[1]);
    const Result<std::uint64_t> ticks = parse_number<std::uint64_t>(words[2]);
    if (!pid.has_value() || !ticks.has_value() || words[3].empty()) return std::nullopt;
    return Holder{.role = words[0] == "agent" ? Role::kAgent : Role::kReverter,
                  .pid = *pid,
                  .start_ticks = *ticks,
                  .boot_id = std::string(words[3])};
}

std::string describe(const std::optional<Holder>& holder) {
    if (!holder.has_value()) return "a process that has not said its name";
    return fmt::format("{} (pid {})", holder->role == Role::kAgent ? "the agent" : "penumbra-revert", holder->pid);
}

void wait_a_little() {
    const timespec interval{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(kRetryInterval).count()};
    static_cast<void>(::nanosleep(&interval, nullptr));
}

Result<UniqueFd> open_lock(const std::filesystem::path& folder) {
    UniqueFd fd(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) return fail_errno(errno, fmt::format("opening {}/lock", folder.native()));
    return fd;
}

Result<bool> try_flock(const UniqueFd& fd) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK || errno == EINTR) return false;
    return fail_errno(errno, "locking the journal");
}

Result<void> sign(const UniqueFd& fd, Role role) {
    const pid_t self = ::getpid();
    const Holder holder{
        .role = role, .pid = self, .start_ticks = TRY(facts_of(self)).start_ticks, .boot_id = TRY(current_boot_id())};
    if (::ftruncate(fd.get(), 0) != 0) return fail_errno(errno, "emptying the journal's lock file");
    const std::string text = encode(holder);
    if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        return fail_errno(errno, "writing the journal's lock file");
    }
    return {};
}

std::optional<Holder> read_holder(const UniqueFd& fd) {
    char buffer[256];
    const ssize_t count = ::pread(fd.get(), buffer, sizeof buffer, 0);
    if (count <= 0) return std::nullopt;
    return decode_holder({buffer, static_cast<std::size_t>(count)});
}

/// Kills exactly `holder`, and says in what state it was. Nothing when that process is not there any more.
Result<std::optional<char>> kill_holder(const Holder& holder) {
    if (holder.boot_id != TRY(current_boot_id()) || holder.pid == ::getpid()) return std::nullopt;
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
    if (!process.valid()) {
        if (errno == ESRCH) return std::nullopt;
        return fail_errno(errno, fmt::format("opening {}", describe(holder)));
    }
    const Result<ProcessFacts> facts = facts_of(holder.pid);
    if (!facts.has_value() || facts->start_ticks != holder.start_ticks) return std::nullopt;
    if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
        return fail_errno(errno, fmt::format("killing {}", describe(holder)));
    }
    pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
    const auto wait_ms = std::chrono::milliseconds(limits::kLockWait).count();
    if (::poll(&gone, 1, static_cast<int>(wait_ms)) != 1) {
        return fail(ErrorCode::kDeadlineExceeded,
                    fmt::format("{} does not end after SIGKILL: it hangs in the kernel", describe(holder)));
    }
    return facts->state;
}

}  // namespace

Result<std::string> current_boot_id() {
    std::string text = TRY(read_file("/proc/sys/kernel/random/boot_id", kProcFileBytesMax));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

Result<Lock> Lock::acquire(const std::filesystem::path& folder, Role role) {
    UniqueFd fd = TRY(open_lock(folder));
    const Instant end = BootClock::now() + limits::kLockWait;
    while (!TRY(try_flock(fd))) {
        if (BootClock::now() >= end) {
            return fail(ErrorCode::kConflict, fmt::format("the journal {} is held by {}: stop that process first",
                                                          folder.native(), describe(read_holder(fd))));
        }
        wait_a_little();
    }
    TRY(sign(fd, role));
    return Lock(std::move(fd));
}

Result<Lock::TakenOver> Lock::take_over(const std::filesystem::path& folder) {
    UniqueFd fd = TRY(open_lock(folder));
    std::optional<Holder> killed;
    char killed_was = 0;
    const Instant end = BootClock::now() + limits::kLockWait;
    while (!TRY(try_flock(fd))) {
        const std::optional<Holder> holder = read_holder(fd);
        if (BootClock::now() >= end) {
            return fail(ErrorCode::kDeadlineExceeded,
                        fmt::format("the journal {} is still held by {}", folder.native(), describe(holder)));
        }
        if (holder.has_value() && holder->role == Role::kAgent && holder != killed) {
            if (const std::optional<char> was = TRY(kill_holder(*holder)); was.has_value()) {
                killed = holder;
                killed_was = *was;
                continue;
            }
        }
        wait_a_little();
    }
    TRY(sign(fd, Role::kReverter));
    return TakenOver{.lock = Lock(std::move(fd)), .killed = killed, .killed_was = killed_was};
}

}  // namespace penumbra::journal
