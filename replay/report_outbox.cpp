#include "replay/report_outbox.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits/traffic.hpp"
#include "base/log.hpp"

namespace penumbra::replay {

Result<UniqueFd> listen_at(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof address.sun_path) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("the socket path {} is too long", path.string()));
    }
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!listener.valid()) return fail_errno(errno, "making a socket");
    static_cast<void>(::unlink(path.c_str()));  // absent is as good
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), 4) != 0) {
        return fail_errno(errno, fmt::format("listening at {}", path.string()));
    }
    return listener;
}

ReportOutbox::ReportOutbox(EventLoop& loop, UniqueFd listener, std::function<void(double)> set_rate)
    : loop_(loop), listener_(std::move(listener)), set_rate_(std::move(set_rate)) {}

Result<std::unique_ptr<ReportOutbox>> ReportOutbox::listen(EventLoop& loop, const std::filesystem::path& path,
                                                           std::function<void(double)> set_rate) {
    std::unique_ptr<ReportOutbox> outbox(new ReportOutbox(loop, TRY(listen_at(path)), std::move(set_rate)));
    outbox->listening_ =
        TRY(loop.watch_fd(outbox->listener_.get(), EPOLLIN, [self = outbox.get()](std::uint32_t) { self->accept(); }));
    return outbox;
}

void ReportOutbox::accept() {
    UniqueFd agent(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!agent.valid()) return;
    hang_up();
    auto talking =
        loop_.watch_fd(agent.get(), EPOLLIN | EPOLLOUT | EPOLLET, [this](std::uint32_t events) { ready(events); });
    if (!talking.has_value()) return log::error("report.accept", talking.error());
    agent_ = std::move(agent);
    talking_ = std::move(*talking);
}

void ReportOutbox::hang_up() {
    talking_ = {};
    agent_.reset();
    heard_.clear();
    sent_windows_ = sent_bytes_ = 0;
}

void ReportOutbox::push(const model::KpiWindow& window) {
    if (waiting_.size() == limits::kKpiWindowsUnacknowledgedMax) {
        // The one being sent stays whole: the stream behind it must stay readable.
        const std::size_t victim = sent_windows_ == 0 && sent_bytes_ > 0 ? 1 : 0;
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(victim));
        if (sent_windows_ > victim) --sent_windows_;
        ++dropped_;
    }
    waiting_.push_back({window.sequence, encode(window)});
    send_on();
}

void ReportOutbox::ready(std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) hear();
    send_on();
}

void ReportOutbox::send_on() {
    while (agent_.valid() && sent_windows_ < waiting_.size()) {
        const packet::Buffer& bytes = waiting_[sent_windows_].bytes;
        const ssize_t sent = ::send(agent_.get(), bytes.data() + sent_bytes_, bytes.size() - sent_bytes_, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) return hang_up();
        sent_bytes_ += static_cast<std::size_t>(sent);
        if (sent_bytes_ < bytes.size()) continue;
        sent_bytes_ = 0;
        ++sent_windows_;
    }
}

void ReportOutbox::hear() {
    std::array<std::byte, 4096> buffer;  // filled by recv
    while (agent_.valid()) {
        const ssize_t got = ::recv(agent_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return hang_up();
        packet::append(heard_, packet::ByteView(buffer.data(), static_cast<std::size_t>(got)));
        std::size_t read = 0;
        for (; heard_.size() - read >= kAgentWordBytes; read += kAgentWordBytes) {
            const auto word = read_agent_word(packet::ByteView(heard_).subspan(read, kAgentWordBytes));
            if (!word.has_value()) {
                log::error("report.word", word.error());
                return hang_up();
            }
            if (const auto* rate = std::get_if<SetRate>(&*word)) set_rate_(rate->rate);
            const auto* acknowledge = std::get_if<Acknowledge>(&*word);
            // Only what was sent on this connection can have been received.
            while (acknowledge != nullptr && sent_windows_ > 0 && waiting_.front().sequence <= acknowledge->sequence) {
                waiting_.pop_front();
                --sent_windows_;
            }
        }
        heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(read));
    }
}

}  // namespace penumbra::replay
