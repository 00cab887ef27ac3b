#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace penumbra {

/// What a full channel does with one more item: refuse it, or drop the oldest (only for measures, never for facts).
enum class WhenFull : unsigned char { kReject, kDropOldest };

/// Bounded one-way typed queue between two loops or threads. push() never blocks; the reader waits on ready_fd() in its
/// loop and then calls pop() until it is empty. Thread-safe; one type a channel, one direction a channel.
template <class T>
class Channel {
 public:
    Channel(std::size_t items_max, WhenFull when_full)
        : items_max_(items_max), when_full_(when_full), ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        ASSERT(ready_.valid() && items_max > 0);
    }

    /// False when the channel is full and rejects: the item was not taken and the caller says so to its own peer.
    [[nodiscard]] bool push(T item) {
        {
            const std::lock_guard lock(mutex_);
            if (items_.size() == items_max_) {
                if (when_full_ == WhenFull::kReject) return false;
                items_.pop_front();
                ++dropped_;
            }
            items_.push_back(std::move(item));
        }
        const std::uint64_t one = 1;
        // An eventfd at its maximum is readable already: EAGAIN loses nothing.
        ASSERT(::write(ready_.get(), &one, sizeof one) == sizeof one || errno == EAGAIN);
        return true;
    }

    /// The oldest item, or nothing. Clears readiness when it empties the queue.
    [[nodiscard]] std::optional<T> pop() {
        const std::lock_guard lock(mutex_);
        if (items_.empty()) {
            std::uint64_t count = 0;
            ASSERT(::read(ready_.get(), &count, sizeof count) == sizeof count || errno == EAGAIN);
            return std::nullopt;
        }
        T item = std::move(items_.front());
        items_.pop_front();
        return item;
    }

    [[nodiscard]] int ready_fd() const noexcept { return ready_.get(); }
    [[nodiscard]] std::uint64_t dropped() const {
        const std::lock_guard lock(mutex_);
        return dropped_;
    }

 private:
    const std::size_t items_max_;
    const WhenFull when_full_;
    const UniqueFd ready_;
    mutable std::mutex mutex_;
    std::deque<T> items_;
    std::uint64_t dropped_ = 0;
};

}  // namespace penumbra
