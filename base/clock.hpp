#pragma once

#include <chrono>

namespace penumbra {

/// CLOCK_BOOTTIME: goes on in suspend, never steps. Every decision and deadline uses it; it means nothing on another
/// host.
struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
    [[nodiscard]] static time_point now() noexcept;
};
using Instant = BootClock::time_point;

/// UTC, for people and for lining up hosts in a report. No decision depends on it.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// Port: where time comes from. Pure code takes an Instant instead; adapters and mains take a Clock.
class Clock {
 public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    Clock(Clock&&) = delete;
    Clock& operator=(Clock&&) = delete;
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;
};

/// The kernel's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
    [[nodiscard]] Instant now() const override { return BootClock::now(); }
    [[nodiscard]] WallTime wall() const override;
};

}  // namespace penumbra
