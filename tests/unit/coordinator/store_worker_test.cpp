#include "coordinator/store/store_worker.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/store.hpp"
#include "coordinator/store/memory_store.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::coordinator {
namespace {

using testing::is_ok;
using testing::turn_until;

Batch batch_of(std::uint64_t number) {
    return {number, {EventRecord{{.sequence = number}}}};
}

// Lets the test hold the disk, and say what it answers.
class HeldDisk {
 public:
    void hold() { mutex_.lock(); }
    void let_go() { mutex_.unlock(); }
    void wait() const { const std::lock_guard held(mutex_); }
    std::atomic<bool> full{false};
    std::atomic<bool> broken{false};
    std::atomic<std::size_t> commits{0};

 private:
    mutable std::mutex mutex_;
};

class HeldStore final : public Store {
 public:
    HeldStore(std::shared_ptr<HeldDisk> held, std::shared_ptr<MemoryDisk> disk)
        : held_(std::move(held)), store_(std::move(disk)) {}
    Result<Image> open(Epoch above) override { return store_.open(above); }
    Result<void> commit(std::span<const Batch> batches) override {
        held_->wait();
        ++held_->commits;
        if (held_->broken) return fail(ErrorCode::kUnavailable, "the disk does not answer");
        if (held_->full) return fail(ErrorCode::kResourceExhausted, "the disk is full");
        return store_.commit(batches);
    }
    Result<std::vector<model::EventView>> events(std::uint64_t after, std::size_t count_max) override {
        return store_.events(after, count_max);
    }
    Result<std::vector<model::KpiWindow>> windows(const model::Vantage& vantage, WallTime from, WallTime to) override {
        return store_.windows(vantage, from, to);
    }
    Result<void> import_points(const Series& series, std::span<const MetricPoint> points) override {
        return store_.import_points(series, points);
    }
    Result<std::vector<MetricPoint>> points(const Series& series) override { return store_.points(series); }
    Result<std::vector<EnrolledKey>> keys() override { return store_.keys(); }
    Result<void> keep_token(const EnrolmentToken& token) override { return store_.keep_token(token); }
    Result<HostId> redeem_token(const std::string& hash, const std::string& public_key, WallTime now) override {
        return store_.redeem_token(hash, public_key, now);
    }
    Result<void> revoke_key(const HostId& host) override { return store_.revoke_key(host); }

 private:
    std::shared_ptr<HeldDisk> held_;
    MemoryStore store_;
};

class StoreWorkerTest : public ::testing::Test {
 protected:
    StoreWorkerTest() {
        auto store = std::make_unique<HeldStore>(held_, disk_);
        ASSERT(store->open({}).has_value());
        worker_ = *StoreWorker::start(*loop_, std::move(store),
                                      {.committed = [this](std::uint64_t up_to) { committed_ = up_to; },
                                       .trouble = [this](std::optional<Error> error) { trouble_ = std::move(error); },
                                       .failed = [this](const Error& error) { failed_ = error; }});
    }

    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    std::shared_ptr<HeldDisk> held_ = std::make_shared<HeldDisk>();
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
    std::uint64_t committed_ = 0;
    std::optional<Error> trouble_;
    std::optional<Error> failed_;
    std::unique_ptr<StoreWorker> worker_;
};

TEST_F(StoreWorkerTest, SaysWhatIsDurable) {
    ASSERT_TRUE(worker_->commit(batch_of(1)));
    ASSERT_TRUE(worker_->commit(batch_of(2)));
    EXPECT_TRUE(turn_until(*loop_, [&] { return committed_ == 2; }));
    EXPECT_EQ(disk_->events.size(), 2U);
}

TEST_F(StoreWorkerTest, MakesWhatWaitsDurableTogether) {
    held_->hold();
    for (std::uint64_t number = 1; number <= 100; ++number)
        ASSERT_TRUE(worker_->commit(batch_of(number)));
    held_->let_go();
    EXPECT_TRUE(turn_until(*loop_, [&] { return committed_ == 100; }));
    // the first ones may have gone alone before the rest was there
    EXPECT_LE(held_->commits, 3U);
}

TEST_F(StoreWorkerTest, ShowsAVerbWhatWasGivenBeforeIt) {
    held_->hold();
    ASSERT_TRUE(worker_->commit(batch_of(1)));
    std::size_t seen = 0;
    using Events = Result<std::vector<model::EventView>>;
    ASSERT_TRUE(worker_->ask<Events>([](Store& store) { return store.events(0, 10); },
                                     [&](Events events) { seen = events->size(); }));
    held_->let_go();
    EXPECT_TRUE(turn_until(*loop_, [&] { return seen == 1; }));
}

TEST_F(StoreWorkerTest, KeepsWhatAFullDiskRefusesUntilThereIsRoom) {
    held_->full = true;
    ASSERT_TRUE(worker_->commit(batch_of(1)));
    ASSERT_TRUE(turn_until(*loop_, [&] { return trouble_.has_value(); }));
    EXPECT_EQ(committed_, 0U);
    bool answered = false;
    using Keys = Result<std::vector<EnrolledKey>>;
    ASSERT_TRUE(worker_->ask<Keys>([](Store& store) { return store.keys(); }, [&](Keys) { answered = true; }));
    ASSERT_TRUE(worker_->commit(batch_of(2)));
    EXPECT_TRUE(turn_until(*loop_, [&] { return answered; }));
    held_->full = false;
    EXPECT_TRUE(turn_until(*loop_, [&] { return committed_ == 2 && !trouble_.has_value(); }));
    EXPECT_EQ(disk_->events.size(), 2U);
}

TEST_F(StoreWorkerTest, EndsOnEveryOtherFailure) {
    held_->broken = true;
    ASSERT_TRUE(worker_->commit(batch_of(1)));
    ASSERT_TRUE(turn_until(*loop_, [&] { return failed_.has_value(); }));
    held_->broken = false;
    ASSERT_TRUE(worker_->commit(batch_of(2)));  // a batch after a lost one must never become durable
    worker_.reset();
    EXPECT_TRUE(disk_->events.empty());
    EXPECT_EQ(committed_, 0U);
}

TEST_F(StoreWorkerTest, FinishesWhatWaitsBeforeItGoes) {
    for (std::uint64_t number = 1; number <= 50; ++number)
        ASSERT_TRUE(worker_->commit(batch_of(number)));
    worker_.reset();
    EXPECT_EQ(disk_->events.size(), 50U);
}

TEST_F(StoreWorkerTest, TakesNoMoreThanItsBound) {
    held_->hold();
    std::uint64_t taken = 0;
    while (taken <= limits::kStoreJobsMax && worker_->commit(batch_of(taken + 1)))
        ++taken;
    EXPECT_EQ(taken, limits::kStoreJobsMax);
    held_->let_go();
    ASSERT_TRUE(turn_until(*loop_, [&] { return committed_ == taken; }));
    EXPECT_TRUE(worker_->commit(batch_of(taken + 1)));
}

}  // namespace
}  // namespace penumbra::coordinator
