#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "agent/news.hpp"
#include "base/channel.hpp"
#include "base/limits/base.hpp"

namespace penumbra::agent {

/// What flows tell the loop that owns the core: a bounded queue whose writers wait for room. A reader that hangs holds
/// them up; the watchdog ends it then. Thread-safe.
class NewsQueue {
 public:
    /// Waits while the queue is full. After close() nothing is heard any more, and nobody waits. Never from the reader.
    void tell(const News& news);
    /// The oldest, or nothing; the reader's loop waits on ready_fd().
    [[nodiscard]] std::optional<News> hear();
    /// Nobody reads any more.
    void close();
    [[nodiscard]] int ready_fd() const noexcept { return channel_.ready_fd(); }

 private:
    Channel<News> channel_{limits::kChannelItemsMax, WhenFull::kReject};
    std::mutex mutex_;
    std::condition_variable room_;
    bool closed_ = false;
};

}  // namespace penumbra::agent
