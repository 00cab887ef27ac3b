#include "base/event_loop.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "base/c_handle.hpp"
#include "base/channel.hpp"
#include "base/limits/base.hpp"

namespace penumbra {

namespace {
using EventHandle = CHandle<sd_event, sd_event_unref>;
// disable_unref: a destroyed Source must not fire once more from the same turn.
using SourceHandle = CHandle<sd_event_source, sd_event_source_disable_unref>;

std::uint64_t microseconds(Instant when) {
    const auto count = std::chrono::ceil<std::chrono::microseconds>(when.time_since_epoch()).count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}
}  // namespace

struct EventLoop::Source::State {
    std::function<void(std::uint32_t)> call;
    std::chrono::nanoseconds interval{0};  // of every(); 0: once
    SourceHandle handle;
};

EventLoop::Source::Source(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLoop::Source::Source() = default;
EventLoop::Source::Source(Source&&) noexcept = default;
EventLoop::Source& EventLoop::Source::operator=(Source&&) noexcept = default;
EventLoop::Source::~Source() = default;

struct EventLoop::State {
    EventHandle event;
    Channel<std::function<void()>> posted{limits::kPostedCallsMax, WhenFull::kReject};
    Source posted_source;
    Source watchdog;
};

namespace {
// The callback may destroy its own Source, so what it needs is moved to the stack first.
template <class State>
void call_out(State* state, std::uint32_t events) {
    const auto call = state->call;
    call(events);
}
}  // namespace

EventLoop::EventLoop(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLoop::~EventLoop() = default;

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    auto state = std::make_unique<State>();
    sd_event* raw = nullptr;
    if (const int r = sd_event_new(&raw); r < 0) return fail_errno(-r, "making an event loop");
    state->event.reset(raw);
    auto loop = std::unique_ptr<EventLoop>(new EventLoop(std::move(state)));
    EventLoop* self = loop.get();
    self->state_->posted_source = TRY(self->watch_fd(self->state_->posted.ready_fd(), EPOLLIN, [self](std::uint32_t) {
        while (auto call = self->state_->posted.pop())
            (*call)();
    }));
    return loop;
}

Result<EventLoop::Source> EventLoop::watch_fd(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) {
    auto state = std::make_unique<Source::State>();
    state->call = std::move(ready);
    sd_event_source* raw = nullptr;
    const auto trampoline = [](sd_event_source*, int, std::uint32_t revents, void* userdata) {
        call_out(static_cast<Source::State*>(userdata), revents);
        return 0;
    };
    if (const int r = sd_event_add_io(state_->event.get(), &raw, fd, events, trampoline, state.get()); r < 0) {
        return fail_errno(-r, fmt::format("watching file descriptor {}", fd));
    }
    state->handle.reset(raw);
    return Source(std::move(state));
}

Result<EventLoop::Source> EventLoop::at(Instant when, std::function<void()> due) {
    auto state = std::make_unique<Source::State>();
    state->call = [due = std::move(due)](std::uint32_t) { due(); };
    sd_event_source* raw = nullptr;
    const auto trampoline = [](sd_event_source*, std::uint64_t, void* userdata) {
        call_out(static_cast<Source::State*>(userdata), 0);
        return 0;
    };
    const int r =
        sd_event_add_time(state_->event.get(), &raw, CLOCK_BOOTTIME, microseconds(when), 1000, trampoline, state.get());
    if (r < 0) return fail_errno(-r, "setting a timer");
    state->handle.reset(raw);
    return Source(std::move(state));
}

Result<EventLoop::Source> EventLoop::every(std::chrono::nanoseconds interval, std::function<void()> due) {
    ASSERT(interval.count() > 0);
    auto state = std::make_unique<Source::State>();
    state->call = [due = std::move(due)](std::uint32_t) { due(); };
    state->interval = interval;
    sd_event_source* raw = nullptr;
    const auto trampoline = [](sd_event_source* source, std::uint64_t, void* userdata) {
        auto* self = static_cast<Source::State*>(userdata);
        // Armed for the next turn before the call, which may destroy the source.
        const std::uint64_t next = microseconds(BootClock::now() + self->interval);
        if (sd_event_source_set_time(source, next) < 0) return -EINVAL;
        if (sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) < 0) return -EINVAL;
        call_out(self, 0);
        return 0;
    };
    const int r = sd_event_add_time(state_->event.get(), &raw, CLOCK_BOOTTIME,
                                    microseconds(BootClock::now() + interval), 1000, trampoline, state.get());
    if (r < 0) return fail_errno(-r, "setting a repeating timer");
    state->handle.reset(raw);
    return Source(std::move(state));
}

Result<EventLoop::Source> EventLoop::on_signal(int signal, std::function<void()> received) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    if (const int r = pthread_sigmask(SIG_BLOCK, &set, nullptr); r != 0) {
        return fail_errno(r, fmt::format("blocking signal {}", signal));
    }
    auto state = std::make_unique<Source::State>();
    state->call = [received = std::move(received)](std::uint32_t) { received(); };
    sd_event_source* raw = nullptr;
    const auto trampoline = [](sd_event_source*, const struct signalfd_siginfo*, void* userdata) {
        call_out(static_cast<Source::State*>(userdata), 0);
        return 0;
    };
    if (const int r = sd_event_add_signal(state_->event.get(), &raw, signal, trampoline, state.get()); r < 0) {
        return fail_errno(-r, fmt::format("watching signal {}", signal));
    }
    state->handle.reset(raw);
    return Source(std::move(state));
}

bool EventLoop::post(std::function<void()> call) {
    return state_->posted.push(std::move(call));
}

Result<void> EventLoop::feed_watchdog() {
    std::uint64_t limit_us = 0;
    const int asked = sd_watchdog_enabled(0, &limit_us);
    if (asked < 0) return fail_errno(-asked, "reading WATCHDOG_USEC, the service watchdog's limit");
    if (asked == 0) return {};
    // Not sd_event_set_watchdog: that feeds at up to three quarters of the limit, and a stopped process would then be
    // killed at any time from a quarter of it on. So it is known when: no earlier than seven eighths of it.
    const std::chrono::microseconds interval(std::max<std::uint64_t>(limit_us / 8, 1));
    state_->watchdog = TRY(every(interval, [] {
        // A manager that is away hears the next one; when it hears none, the restart is its answer.
        std::ignore = sd_notify(0, "WATCHDOG=1");
    }));
    return {};
}

Result<void> EventLoop::run() {
    if (const int r = sd_event_loop(state_->event.get()); r < 0) return fail_errno(-r, "running the event loop");
    return {};
}

Result<void> EventLoop::turn(std::chrono::nanoseconds wait_max) {
    const auto wait = std::chrono::ceil<std::chrono::microseconds>(wait_max).count();
    const int r = sd_event_run(state_->event.get(), wait < 0 ? 0 : static_cast<std::uint64_t>(wait));
    if (r < 0) return fail_errno(-r, "turning the event loop");
    return {};
}

void EventLoop::stop() {
    ASSERT(sd_event_exit(state_->event.get(), 0) >= 0);
}

sd_event* EventLoop::raw() noexcept {
    return state_->event.get();
}

}  // namespace penumbra
