#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"

struct sd_event;
struct sd_event_source;

namespace penumbra {

/// The one loop, over sd-event(3). Thread-bound but for post(): a loop owns its state and nothing of it is locked.
/// A Source lives as long as the caller keeps it; destroying it, also from inside its own call, ends the watching.
class EventLoop {
 public:
    class Source {
     public:
        Source();
        Source(Source&&) noexcept;
        Source& operator=(Source&&) noexcept;
        Source(const Source&) = delete;
        Source& operator=(const Source&) = delete;
        ~Source();

     private:
        friend class EventLoop;
        struct State;
        explicit Source(std::unique_ptr<State> state);
        std::unique_ptr<State> state_;
    };

    [[nodiscard]] static Result<std::unique_ptr<EventLoop>> create();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    EventLoop(EventLoop&&) = delete;
    EventLoop& operator=(EventLoop&&) = delete;
    ~EventLoop();

    /// Calls `ready` with the epoll(7) events seen whenever `fd` has one of `events`. The fd stays the caller's.
    [[nodiscard]] Result<Source> watch_fd(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready);
    /// Calls `due` once at `when`; to go on, the call makes its next timer.
    [[nodiscard]] Result<Source> at(Instant when, std::function<void()> due);
    /// Calls `due` every `interval`, first after one interval; a late turn is not made up for.
    [[nodiscard]] Result<Source> every(std::chrono::nanoseconds interval, std::function<void()> due);
    /// Calls `received` for a signal; blocks that signal in this thread first.
    [[nodiscard]] Result<Source> on_signal(int signal, std::function<void()> received);

    /// Runs `call` in a later turn of this loop. Thread-safe; false when kPostedCallsMax are waiting.
    [[nodiscard]] bool post(std::function<void()> call);

    /// systemd's watchdog, if the unit asks for one (sd_watchdog_enabled(3)): fed from this loop every eighth of its
    /// limit, so a stall is noticed after between seven eighths and the whole of it.
    [[nodiscard]] Result<void> feed_watchdog();

    /// Runs until stop(). An error is the kernel's or sd-event's; a callback cannot fail the loop.
    [[nodiscard]] Result<void> run();
    void stop();
    /// One turn: waits at most `wait_max` for something to do, and does it. For who owns the outer loop (tests).
    [[nodiscard]] Result<void> turn(std::chrono::nanoseconds wait_max);

    /// For sd-bus, which attaches itself to the same loop; borrowed.
    [[nodiscard]] sd_event* raw() noexcept;

 private:
    struct State;
    explicit EventLoop(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace penumbra
