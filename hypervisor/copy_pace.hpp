#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/limits/replica.hpp"
#include "base/units.hpp"

namespace penumbra::hypervisor {

/// A guest's requests to its disks since it was started, and how long they took in all. Flushes count: a copy that
/// fills the storage's queue shows first in them.
struct GuestIo {
    std::uint64_t requests = 0;
    std::chrono::nanoseconds time{0};
    friend bool operator==(const GuestIo&, const GuestIo&) = default;
};

/// How fast a copy may read and re-read, by what it does to the guest's own requests. Reads of a backup run in the
/// guest's own QEMU and on its storage, so a rate in bytes that one host does not feel stops another one.
///
/// Rises by a fraction as long as the guest's mean request takes no longer than before the copy and a tolerance
/// (limits::kPaceTolerance), and is cut to a part when it does: what TCP does about a queue that it cannot see (Chiu
/// and Jain 1989), with a fraction instead of a sum because the right rate may be 5 or 2,000 MiB/s. QEMU counts
/// requests that are done: none may mean that the guest asks for nothing, or that it waits. So none lets the rate rise
/// only after limits::kPacePatience, and never beyond twice what was really read. Never below limits::kPaceRateMin: an
/// open backup costs the guest an extra write for each block it overwrites, so it has to end. What a guest is used to
/// changes: a copy that has been slow for limits::kPaceRelearn pauses for limits::kPaceCalm and takes what the guest
/// has then. A token bucket keeps what is asked for apart. Pure; O(1) a call.
class CopyPace {
 public:
    /// `before`: the guest's requests since its start; `calm`: those of the last moments before the copy, if any. What
    /// the guest is used to is the mean of the calm ones, drawn to that of its whole life by the weight of
    /// limits::kPaceUsualRequests: a busy guest's last second tells enough, a quiet one's tells nothing.
    CopyPace(GuestIo before, GuestIo calm, Instant now);

    /// Takes `size` and says how long to wait before it may be read; zero: at once.
    [[nodiscard]] std::chrono::nanoseconds take(Bytes size, Instant now);
    /// Whether limits::kPaceWindow is over and observe() has something to do.
    [[nodiscard]] bool is_due(Instant now) const noexcept { return now >= due_; }
    /// The guest's requests since its start, as of now. Of a restarted guest, which counts from 0 again, the next look
    /// tells.
    void observe(GuestIo total, Instant now);
    /// It could not be looked at: whoever does not answer may be worse off than any other, so the least rate. The next
    /// look is due after limits::kPacePatience.
    void miss(Instant now) noexcept;

    [[nodiscard]] Bytes rate() const noexcept { return rate_; }  ///< a second
    [[nodiscard]] bool is_held_back() const noexcept { return held_back_; }
    [[nodiscard]] bool is_blind() const noexcept { return blind_; }  ///< the last look failed
    /// Mean of a request: what the guest is used to, and what it last had during the copy. Nothing: too few to say.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> usual() const noexcept { return usual_; }
    [[nodiscard]] std::optional<std::chrono::nanoseconds> latest() const noexcept { return latest_; }

 private:
    void adjust(GuestIo since, double taken_per_s, Instant now);

    std::optional<std::chrono::nanoseconds> usual_;
    std::optional<std::chrono::nanoseconds> latest_;
    GuestIo seen_;
    Instant seen_at_;
    Instant due_;
    Instant free_at_;  ///< when the bucket is full again
    Bytes rate_;
    Bytes taken_;                        ///< since seen_at_
    std::optional<Instant> slow_since_;  ///< the rate is the least, or nearly
    std::optional<Instant> calm_until_;
    bool held_back_ = false;
    bool blind_ = false;
};

}  // namespace penumbra::hypervisor
