#include "agent/news_queue.hpp"

namespace penumbra::agent {

void NewsQueue::tell(const News& news) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || channel_.push(news); });
}

std::optional<News> NewsQueue::hear() {
    std::optional<News> news = channel_.pop();
    if (!news.has_value()) return news;
    // A writer that found it full is waiting once this lock is had: it cannot miss the room it is told of.
    {
        const std::lock_guard lock(mutex_);
    }
    room_.notify_one();
    return news;
}

void NewsQueue::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    room_.notify_all();
}

}  // namespace penumbra::agent
