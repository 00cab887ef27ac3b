#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/channel.hpp"
#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "coordinator/store/store.hpp"

namespace penumbra::coordinator {

/// A Store in a thread of its own, so that the loop never waits for the disk. Batches that wait together become durable
/// by one fsync; a verb sees every batch that was given before it. While the disk is full batches are kept and tried
/// again; every other failure is the end of this life. Bound to the loop's thread; destroying it finishes what waits.
class StoreWorker {
 public:
    /// Called from the loop.
    struct Listener {
        std::function<void(std::uint64_t)> committed;       ///< every batch up to this number is durable
        std::function<void(std::optional<Error>)> trouble;  ///< the disk is full, or nothing: no more
        std::function<void(const Error&)> failed;           ///< nothing will be stored any more: stop
    };

    /// `store` is open.
    [[nodiscard]] static Result<std::unique_ptr<StoreWorker>> start(EventLoop& loop, std::unique_ptr<Store> store,
                                                                    Listener listener);
    StoreWorker(const StoreWorker&) = delete;
    StoreWorker& operator=(const StoreWorker&) = delete;
    StoreWorker(StoreWorker&&) = delete;
    StoreWorker& operator=(StoreWorker&&) = delete;
    ~StoreWorker();

    /// False when kStoreJobsMax wait: nothing was taken.
    [[nodiscard]] bool commit(Batch batch);
    /// Asks one verb and tells the loop what came of it: `ask<R>(call(Store&) -> R, done(R))`. False as above.
    template <class Answer, class Call, class Done>
    [[nodiscard]] bool ask(Call call, Done done) {
        return push(Verb([this, call = std::move(call), done = std::move(done)](Store& store) mutable {
            auto answer = std::make_shared<Answer>(call(store));
            tell(1, [done = std::move(done), answer] { done(std::move(*answer)); });
        }));
    }

 private:
    using Verb = std::function<void(Store&)>;
    using Job = std::variant<Batch, Verb>;
    struct Told {
        std::size_t jobs = 0;  ///< that it is the end of
        std::function<void()> call;
    };

    StoreWorker(std::unique_ptr<Store> store, Listener listener);
    [[nodiscard]] bool push(Job job);
    void hear();

    // in the thread
    void work();
    [[nodiscard]] bool take_jobs(std::optional<Verb>& verb);
    void commit_pending();
    void wait() const;
    void tell(std::size_t jobs, std::function<void()> call);

    const std::unique_ptr<Store> store_;
    const Listener listener_;
    const UniqueFd stop_;
    std::atomic<bool> stopping_{false};
    Channel<Job> jobs_;
    Channel<Told> told_;
    std::size_t in_flight_ = 0;
    EventLoop::Source source_;

    // the thread's own
    std::vector<Batch> pending_;
    std::optional<Instant> retry_at_;  // the disk was full
    bool failed_ = false;
    std::thread thread_;
};

}  // namespace penumbra::coordinator
