#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/event_loop.hpp"
#include "base/result.hpp"

namespace penumbra::agent {

/// Port: where a flow's work is done, one thing after the other, in the order it came. post() is thread-safe.
class Lane {
 public:
    Lane() = default;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    Lane(Lane&&) = delete;
    Lane& operator=(Lane&&) = delete;
    virtual ~Lane() = default;
    /// False when too much is waiting already, or the lane has ended: the work is not taken.
    [[nodiscard]] virtual bool post(std::function<void()> work) = 0;
    /// Does `work` every `interval` for as long as the lane lives. Before anything else is posted, or from the lane.
    virtual void every(std::chrono::nanoseconds interval, std::function<void()> work) = 0;
    /// For what is watched on this lane; only from work done on it.
    [[nodiscard]] virtual EventLoop& loop() noexcept = 0;
};

/// Does `work` on another lane and waits for what comes of it. Lanes call each other in one direction only (see
/// Flows), so nobody waits for himself. kUnavailable: that lane takes no work.
template <class T>
[[nodiscard]] Result<T> call_on(Lane& lane, std::function<Result<T>()> work) {
    auto task = std::make_shared<std::packaged_task<Result<T>()>>(std::move(work));
    auto outcome = task->get_future();
    if (!lane.post([task] { (*task)(); }))
        return fail(ErrorCode::kUnavailable, "this agent is busy or ending: ask again later");
    return outcome.get();
}

/// A thread with a loop of its own for one blocking library (design D4). Signals stay with the main thread. Ending it
/// waits for the work under way.
class ThreadLane final : public Lane {
 public:
    [[nodiscard]] static Result<std::unique_ptr<ThreadLane>> start(const std::string& name);
    ThreadLane(const ThreadLane&) = delete;
    ThreadLane& operator=(const ThreadLane&) = delete;
    ThreadLane(ThreadLane&&) = delete;
    ThreadLane& operator=(ThreadLane&&) = delete;
    ~ThreadLane() override;

    [[nodiscard]] bool post(std::function<void()> work) override;
    void every(std::chrono::nanoseconds interval, std::function<void()> work) override;
    [[nodiscard]] EventLoop& loop() noexcept override { return *loop_; }
    /// Waits for the work under way and what waits before it; afterwards nothing is taken. Lanes that call others end
    /// before those do.
    void end();

 private:
    explicit ThreadLane(std::unique_ptr<EventLoop> loop) : loop_(std::move(loop)) {}

    std::unique_ptr<EventLoop> loop_;
    std::vector<EventLoop::Source> timers_;
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

}  // namespace penumbra::agent
