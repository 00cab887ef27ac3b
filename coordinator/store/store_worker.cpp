#include "coordinator/store/store_worker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/limits/store.hpp"

namespace penumbra::coordinator {

namespace {

// Of a told trouble, beside the jobs' own ends.
constexpr std::size_t kToldSpare = 64;

}  // namespace

Result<std::unique_ptr<StoreWorker>> StoreWorker::start(EventLoop& loop, std::unique_ptr<Store> store,
                                                        Listener listener) {
    std::unique_ptr<StoreWorker> worker(new StoreWorker(std::move(store), std::move(listener)));
    worker->source_ =
        TRY(loop.watch_fd(worker->told_.ready_fd(), EPOLLIN, [&self = *worker](std::uint32_t) { self.hear(); }));
    worker->thread_ = std::thread([&self = *worker] { self.work(); });
    return worker;
}

StoreWorker::StoreWorker(std::unique_ptr<Store> store, Listener listener)
    : store_(std::move(store)),
      listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      jobs_(limits::kStoreJobsMax, WhenFull::kReject),
      told_(limits::kStoreJobsMax + kToldSpare, WhenFull::kReject) {
    ASSERT(stop_.valid());
}

StoreWorker::~StoreWorker() {
    stopping_.store(true);
    const std::uint64_t one = 1;
    ASSERT(::write(stop_.get(), &one, sizeof one) == sizeof one);
    if (thread_.joinable()) thread_.join();
}

bool StoreWorker::commit(Batch batch) {
    return push(std::move(batch));
}

bool StoreWorker::push(Job job) {
    if (in_flight_ == limits::kStoreJobsMax) return false;
    ++in_flight_;
    ASSERT(jobs_.push(std::move(job)));
    return true;
}

void StoreWorker::hear() {
    // A call may destroy what it is told to, but not this worker while it hears.
    while (std::optional<Told> told = told_.pop()) {
        in_flight_ -= told->jobs;
        told->call();
    }
}

void StoreWorker::work() {
    for (;;) {
        const bool stopping = stopping_.load();  // before the channel is looked at: what was given earlier is done
        std::optional<Verb> verb;
        const bool any = take_jobs(verb);
        if (!pending_.empty() && (!retry_at_.has_value() || BootClock::now() >= *retry_at_ || stopping))
            commit_pending();
        if (verb.has_value()) (*verb)(*store_);
        if (any) continue;
        if (stopping) return;
        wait();
    }
}

bool StoreWorker::take_jobs(std::optional<Verb>& verb) {
    bool any = false;
    while (!verb.has_value() && (retry_at_.has_value() || pending_.size() < limits::kBatchesPerCommitMax)) {
        std::optional<Job> job = jobs_.pop();
        if (!job.has_value()) break;
        any = true;
        if (std::holds_alternative<Verb>(*job)) {
            verb = std::move(std::get<Verb>(*job));
        } else {
            pending_.push_back(std::move(std::get<Batch>(*job)));
        }
    }
    return any;
}

void StoreWorker::commit_pending() {
    if (failed_) return pending_.clear();  // the loop has been told, and is stopping
    const Result<void> done = store_->commit(pending_);
    if (done.has_value()) {
        if (retry_at_.has_value()) tell(0, [this] { listener_.trouble(std::nullopt); });
        retry_at_.reset();
        tell(pending_.size(), [this, up_to = pending_.back().number] { listener_.committed(up_to); });
        pending_.clear();
        return;
    }
    if (done.error().code == ErrorCode::kResourceExhausted) {
        if (!retry_at_.has_value()) tell(0, [this, error = done.error()] { listener_.trouble(error); });
        retry_at_ = BootClock::now() + limits::kStoreRetryInterval;
        return;
    }
    failed_ = true;
    pending_.clear();
    tell(0, [this, error = done.error()] { listener_.failed(error); });
}

void StoreWorker::wait() const {
    std::array<pollfd, 2> waited{pollfd{stop_.get(), POLLIN, 0}, pollfd{jobs_.ready_fd(), POLLIN, 0}};
    int timeout_ms = -1;
    if (retry_at_.has_value()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*retry_at_ - BootClock::now());
        timeout_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }
    ASSERT(::poll(waited.data(), waited.size(), timeout_ms) >= 0 || errno == EINTR);
}

void StoreWorker::tell(std::size_t jobs, std::function<void()> call) {
    ASSERT(told_.push({jobs, std::move(call)}));
}

}  // namespace penumbra::coordinator
