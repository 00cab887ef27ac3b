#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace penumbra::journal {

/// Who holds the journal: the agent for as long as it lives, or a penumbra-revert for one effect.
enum class Role : unsigned char { kAgent, kReverter };

/// A process that cannot be mistaken for a later one with the same pid.
struct Holder {
    Role role = Role::kAgent;
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  ///< /proc/PID/stat, field 22
    std::string boot_id;
    friend bool operator==(const Holder&, const Holder&) = default;
};

/// The journal's one writer, by flock(2) on `lock` in its folder; released when destroyed or when the process ends.
/// Not inherited by children (O_CLOEXEC). Thread-bound.
class Lock {
 public:
    /// Takes the lock, waiting up to kLockWait for another holder to leave; then kConflict, naming it.
    [[nodiscard]] static Result<Lock> acquire(const std::filesystem::path& folder, Role role);

    struct TakenOver;
    /// Takes the lock for a reverter at its deadline. An agent that holds it is killed by SIGKILL, stopped or hung as
    /// it may be; another reverter is waited for. Only the very process named in the file is ever killed.
    [[nodiscard]] static Result<TakenOver> take_over(const std::filesystem::path& folder);

 private:
    explicit Lock(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

struct Lock::TakenOver {
    Lock lock;
    std::optional<Holder> killed;
    char killed_was = 0;  ///< its state before: 'T' stopped, 'D' in the kernel, 'S' asleep, ... (proc(5))
};

/// This boot's id: a deadline of another boot means nothing.
[[nodiscard]] Result<std::string> current_boot_id();

}  // namespace penumbra::journal
