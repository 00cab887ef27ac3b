#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// What the two processes of this flow share as services: how they are told, confined and announced.
namespace penumbra::replay::service {

/// `--name value` pairs, as the agent writes them into the unit's environment file; a name may come more than once.
class Arguments {
 public:
    /// Errors: a name that is not `known`, a name without a value.
    [[nodiscard]] static Result<Arguments> parse(std::span<char* const> arguments,
                                                 std::span<const std::string_view> known);
    /// Errors: kInvalidArgument when it is not there.
    [[nodiscard]] Result<std::string> one(std::string_view name) const;
    [[nodiscard]] std::string one_or(std::string_view name, std::string_view otherwise) const;
    [[nodiscard]] const std::vector<std::string>& all(std::string_view name) const;
    /// A finite number from 0 to `max`.
    [[nodiscard]] Result<double> number_or(std::string_view name, double otherwise, double max) const;

 private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// Moves the process into a network namespace, by its path ("/run/netns/NAME"). Before any thread is made.
[[nodiscard]] Result<void> enter_network_namespace(const std::string& path);

/// Gives up every capability for good, the bounding set and future exec included.
[[nodiscard]] Result<void> drop_capabilities();

/// READY=1 to the service manager, if there is one (sd_notify(3)).
[[nodiscard]] Result<void> announce_ready();

/// System calls that a loop with timers, files and a log makes after set-up, whatever else it does.
inline constexpr std::array<std::string_view, 40> kCallsOfALoop = {
    "accept4",      "brk",          "clock_gettime",   "clock_nanosleep", "close",        "epoll_create1",
    "epoll_ctl",    "epoll_pwait",  "epoll_pwait2",    "epoll_wait",      "exit",         "exit_group",
    "fcntl",        "fstat",        "futex",           "getpid",          "getrandom",    "getsockopt",
    "gettid",       "gettimeofday", "getuid",          "madvise",         "memfd_create", "mmap",
    "mprotect",     "mremap",       "munmap",          "newfstatat",      "pread64",      "pwrite64",
    "read",         "recvfrom",     "recvmsg",         "restart_syscall", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "shutdown",     "timerfd_settime", "tgkill"};

}  // namespace penumbra::replay::service
