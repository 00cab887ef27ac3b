#include "capture/arm_feed.hpp"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/limits/traffic.hpp"
#include "base/log.hpp"
#include "replay/report_outbox.hpp"

namespace penumbra::capture {

namespace {
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kLengthBytes = 4;

/// How many of the first bytes are whole records.
std::size_t whole_records(packet::ByteView bytes) {
    std::size_t at = 0;
    while (bytes.size() - at >= kLengthBytes) {
        const std::size_t record = kLengthBytes + packet::load_u32(bytes, at);
        if (bytes.size() - at < record) break;
        at += record;
    }
    return at;
}
}  // namespace

ArmFeed::ArmFeed(EventLoop& loop, std::string arm, UniqueFd listener, replay::Spool spool)
    : loop_(loop), arm_(std::move(arm)), listener_(std::move(listener)), spool_(std::move(spool)) {}

Result<std::unique_ptr<ArmFeed>> ArmFeed::listen(EventLoop& loop, std::string arm, const std::filesystem::path& socket,
                                                 replay::Spool spool) {
    std::unique_ptr<ArmFeed> feed(new ArmFeed(loop, std::move(arm), TRY(replay::listen_at(socket)), std::move(spool)));
    feed->listening_ =
        TRY(loop.watch_fd(feed->listener_.get(), EPOLLIN, [self = feed.get()](std::uint32_t) { self->accept(); }));
    return feed;
}

void ArmFeed::accept() {
    UniqueFd sandbox(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!sandbox.valid()) return;
    hang_up();
    if (::shutdown(sandbox.get(), SHUT_RD) != 0) return;
    auto writing = loop_.watch_fd(sandbox.get(), EPOLLOUT | EPOLLET, [this](std::uint32_t events) {
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) return hang_up();
        pump();
    });
    if (!writing.has_value()) return log::error("capture.accept", writing.error(), {{"ARM", arm_}});
    sandbox_ = std::move(sandbox);
    writing_ = std::move(*writing);
    log::event(log::Level::kInfo, "capture.arm_connected", "an arm's sandbox takes its exchanges", {{"ARM", arm_}});
}

void ArmFeed::hang_up() {
    writing_ = {};
    sandbox_.reset();
    sent_ = 0;  // whoever comes next begins with a whole record
}

bool ArmFeed::append(packet::ByteView record) {
    const auto taken = spool_.append(record);
    if (taken.has_value()) return *taken;
    log::error("capture.spool", taken.error(), {{"ARM", arm_}});
    return false;
}

void ArmFeed::flush() {
    if (tally_ == replay::Tally{}) return;
    if (append(replay::encode(tally_))) {
        tally_ = {};
        pump();
    }
}

void ArmFeed::exchange(packet::ByteView record) {
    if (!append(record)) {
        ++tally_.spool_full;
        return;
    }
    pump();
}

void ArmFeed::connection_end(packet::ByteView record) {
    if (append(record)) pump();
}

/// The next chunk of whole records; false when there is none.
bool ArmFeed::fill() {
    if (!chunk_.empty()) return true;
    for (const std::size_t wanted : {kChunkBytes, kLengthBytes + limits::kExchangeRecordBytesMax}) {
        auto front = spool_.front(wanted);
        if (!front.has_value()) {
            log::error("capture.spool", front.error(), {{"ARM", arm_}});
            return false;
        }
        const std::size_t whole = whole_records(*front);
        if (whole == 0) continue;  // a record longer than the chunk
        front->resize(whole);
        chunk_ = std::move(*front);
        return true;
    }
    return false;
}

void ArmFeed::pump() {
    while (sandbox_.valid() && fill()) {
        const ssize_t sent = ::send(sandbox_.get(), chunk_.data() + sent_, chunk_.size() - sent_, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) return hang_up();
        sent_ += static_cast<std::size_t>(sent);
        if (sent_ < chunk_.size()) continue;
        spool_.consume(chunk_.size());
        chunk_.clear();
        sent_ = 0;
    }
}

}  // namespace penumbra::capture
