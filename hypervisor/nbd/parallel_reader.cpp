#include "hypervisor/nbd/parallel_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.hpp"
#include "base/limits/replica.hpp"

namespace penumbra::hypervisor::nbd {

ParallelReader::ParallelReader(std::vector<Handle> connections, const Endpoint& endpoint)
    : reading_(fmt::format("reading NBD export {} at {}", endpoint.export_name, endpoint.socket.native())),
      stall_max_(endpoint.patience.read_stall) {
    for (Handle& connection : connections)
        lanes_.push_back(
            {.slots = std::vector<Slot>(limits::kRequestsPerConnection), .connection = std::move(connection)});
}

int ParallelReader::on_complete(void* user, int* error) noexcept {
    auto& slot = *static_cast<Slot*>(user);
    slot.error = *error;
    slot.finished = true;
    return 1;  // retire the command
}

Result<void> ParallelReader::issue(Lane& lane, Slot& slot, Extent extent) const {
    ASSERT(extent.length() > 0 && extent.length() <= limits::kReadChunkBytesMax);
    slot.buffer.resize(extent.length());
    slot.extent = extent;
    slot.finished = false;
    slot.busy = true;
    const nbd_completion_callback done{.callback = &ParallelReader::on_complete, .user_data = &slot, .free = nullptr};
    if (::nbd_aio_pread(lane.connection.get(), slot.buffer.data(), extent.length(), extent.begin, done, 0) == -1)
        return fail_nbd(reading_);
    return {};
}

Result<void> ParallelReader::refill(const std::function<std::optional<Extent>()>& next) {
    // Slot by slot across the lanes, so that a short list of chunks is spread over all of them.
    for (std::size_t index = 0; index < limits::kRequestsPerConnection; ++index) {
        for (Lane& lane : lanes_) {
            Slot& slot = lane.slots[index];
            if (slot.busy || exhausted_) continue;
            const std::optional<Extent> extent = next();
            exhausted_ = !extent;
            if (extent) TRY(issue(lane, slot, *extent));
        }
    }
    return {};
}

bool ParallelReader::any_busy() const {
    return std::ranges::any_of(lanes_, [](const Lane& lane) { return std::ranges::any_of(lane.slots, &Slot::busy); });
}

Result<void> ParallelReader::wait_and_notify() {
    std::vector<pollfd> fds;
    for (const Lane& lane : lanes_) {
        const unsigned direction = ::nbd_aio_get_direction(lane.connection.get());
        short events = 0;
        if ((direction & LIBNBD_AIO_DIRECTION_READ) != 0) events |= POLLIN;
        if ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0) events |= POLLOUT;
        fds.push_back({.fd = ::nbd_aio_get_fd(lane.connection.get()), .events = events, .revents = 0});
    }
    if (::poll(fds.data(), fds.size(), static_cast<int>(limits::kStopCheckInterval.count())) == -1) {
        if (errno == EINTR) return {};
        return fail_errno(errno, reading_);
    }
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        TRY(notify(lanes_[i].connection.get(), fds[i].revents));
    return {};
}

Result<void> ParallelReader::notify(nbd_handle* handle, short events) const {
    // A server that is gone shows as readable: the read then says what happened.
    if ((events & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0 && ::nbd_aio_notify_read(handle) == -1)
        return fail_nbd(reading_);
    // A read may have changed what the connection waits for.
    const bool writable =
        (events & POLLOUT) != 0 && (::nbd_aio_get_direction(handle) & LIBNBD_AIO_DIRECTION_WRITE) != 0;
    if (writable && ::nbd_aio_notify_write(handle) == -1) return fail_nbd(reading_);
    if (::nbd_aio_is_dead(handle) == 1 || ::nbd_aio_is_closed(handle) == 1)
        return fail(ErrorCode::kUnavailable, fmt::format("{}: the server closed the connection", reading_));
    return {};
}

Result<bool> ParallelReader::hand_over(const ChunkSink& sink) {
    bool any = false;
    for (Lane& lane : lanes_) {
        for (Slot& slot : lane.slots) {
            if (!slot.busy || !slot.finished) continue;
            slot.busy = false;
            any = true;
            if (slot.error != 0)
                return fail(ErrorCode::kUnavailable,
                            fmt::format("{}: byte {}: {}", reading_, slot.extent.begin, std::strerror(slot.error)));
            TRY(sink(slot.extent, slot.buffer));
        }
    }
    return any;
}

Result<void> ParallelReader::run(const std::function<std::optional<Extent>()>& next, const ChunkSink& sink,
                                 const std::stop_token& stop) {
    Instant progress = BootClock::now();
    while (true) {
        if (stop.stop_requested())
            return fail(ErrorCode::kCancelled, fmt::format("{} was stopped on request", reading_));
        TRY(refill(next));
        if (!any_busy()) return {};
        TRY(wait_and_notify());
        // The sink's own time is not the server's silence.
        if (TRY(hand_over(sink))) progress = BootClock::now();
        if (BootClock::now() - progress > stall_max_)
            return fail(ErrorCode::kDeadlineExceeded,
                        fmt::format("{}: no data for {} ms: look whether the server's process is stopped", reading_,
                                    stall_max_.count()));
    }
}

}  // namespace penumbra::hypervisor::nbd
