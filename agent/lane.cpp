#include "agent/lane.hpp"

#include <csignal>

#include <pthread.h>

#include "base/log.hpp"

namespace penumbra::agent {

Result<std::unique_ptr<ThreadLane>> ThreadLane::start(const std::string& name) {
    std::unique_ptr<ThreadLane> lane(new ThreadLane(TRY(EventLoop::create())));
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    // A thread inherits the mask: signals are the main thread's.
    if (const int error = pthread_sigmask(SIG_SETMASK, &all, &before); error != 0)
        return fail_errno(error, "blocking signals");
    lane->thread_ = std::thread([loop = lane->loop_.get(), name] {
        static_cast<void>(pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()));
        const Result<void> ran = loop->run();
        if (!ran.has_value()) log::error("agent.lane_broken", ran.error(), {{"LANE", name}});
        ASSERT(ran.has_value());  // what it guards would be left alone: the dead-men and the next life take over
    });
    if (const int error = pthread_sigmask(SIG_SETMASK, &before, nullptr); error != 0)
        return fail_errno(error, "restoring signals");
    return lane;
}

bool ThreadLane::post(std::function<void()> work) {
    return !ended_.load() && loop_->post(std::move(work));
}

void ThreadLane::every(std::chrono::nanoseconds interval, std::function<void()> work) {
    // A timer is the loop's own; one that cannot be made is memory that ran out.
    ASSERT(post([this, interval, work = std::move(work)]() mutable {
        Result<EventLoop::Source> timer = loop_->every(interval, std::move(work));
        ASSERT(timer.has_value());
        timers_.push_back(std::move(*timer));
    }));
}

void ThreadLane::end() {
    if (!thread_.joinable()) return;
    ended_.store(true);
    // stop() is the loop's own: it is asked to call it, behind what waits.
    while (!loop_->post([this] { loop_->stop(); }))
        std::this_thread::yield();
    thread_.join();
}

ThreadLane::~ThreadLane() {
    end();
    timers_.clear();
}

}  // namespace penumbra::agent
