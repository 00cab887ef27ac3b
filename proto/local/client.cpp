#include "proto/local/client.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.hpp"
#include "base/limits/sockets.hpp"
#include "base/unique_fd.hpp"
#include "proto/codec/codec.hpp"
#include "proto/local/address.hpp"
#include "proto/local/frame.hpp"

namespace penumbra::local {

namespace {
using std::chrono::milliseconds;

tl::unexpected<Error> fail_late(const std::filesystem::path& socket) {
    return fail(ErrorCode::kDeadlineExceeded,
                fmt::format("the coordinator at {} did not answer in time; what was asked may still happen: look with "
                            "`penumbra events` before asking again",
                            socket.native()));
}

tl::unexpected<Error> fail_gone(const std::filesystem::path& socket) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("the coordinator at {} closed the connection before it answered: see `systemctl status "
                            "penumbra-coordinator`, then ask again",
                            socket.native()));
}

class Connection {
 public:
    Connection(const std::filesystem::path& path, Instant end) : path_(path), end_(end) {}

    Result<void> connect() {
        const sockaddr_un address = TRY(address_of(path_));
        fd_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!fd_.valid()) return fail_errno(errno, "making a socket");
        // A full backlog makes connect() wait for this long (unix(7)); everything after it polls.
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end_ - BootClock::now()).count();
        if (left <= 0) return fail_late(path_);
        const timeval timeout{.tv_sec = left / 1'000'000, .tv_usec = left % 1'000'000};
        if (::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0) {
            return fail_errno(errno, "bounding the wait for the coordinator");
        }
        if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
        if (errno == EAGAIN) return fail_late(path_);
        if (errno == ENOENT || errno == ECONNREFUSED) {
            return fail(ErrorCode::kUnavailable,
                        fmt::format("no coordinator listens at {}: start it (`systemctl start penumbra-coordinator`) "
                                    "or name its socket with --socket",
                                    path_.native()));
        }
        if (errno == EACCES) {
            return fail(ErrorCode::kPermissionDenied,
                        fmt::format("you may not open {}: join the group that may ask the coordinator, or ask as root",
                                    path_.native()));
        }
        return fail_errno(errno, fmt::format("connecting to {}", path_.native()));
    }

    Result<void> send(std::string_view bytes) {
        while (!bytes.empty()) {
            TRY(wait_for(POLLOUT));
            const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count >= 0) {
                bytes.remove_prefix(static_cast<std::size_t>(count));
            } else if (errno == EPIPE || errno == ECONNRESET) {
                return {};  // it refused before it read all: its reply says why
            } else if (errno != EAGAIN && errno != EINTR) {
                return fail_errno(errno, fmt::format("asking the coordinator at {}", path_.native()));
            }
        }
        return {};
    }

    /// Exactly `size` more bytes, taken as they come: a claimed length alone takes no memory.
    Result<std::string> receive(std::size_t size) {
        std::string bytes;
        char chunk[64 * 1024];
        while (bytes.size() < size) {
            TRY(wait_for(POLLIN));
            const ssize_t count = ::recv(fd_.get(), chunk, std::min(sizeof chunk, size - bytes.size()), MSG_DONTWAIT);
            if (count > 0) {
                bytes.append(chunk, static_cast<std::size_t>(count));
            } else if (count == 0 || errno == ECONNRESET) {
                return fail_gone(path_);
            } else if (errno != EAGAIN && errno != EINTR) {
                return fail_errno(errno, fmt::format("hearing the coordinator at {}", path_.native()));
            }
        }
        return bytes;
    }

 private:
    Result<void> wait_for(short events) {
        const auto left = std::chrono::ceil<milliseconds>(end_ - BootClock::now());
        if (left <= milliseconds(0)) return fail_late(path_);
        pollfd item{.fd = fd_.get(), .events = events, .revents = 0};
        const int count = ::poll(&item, 1, static_cast<int>(std::min<milliseconds::rep>(left.count(), 1'000'000)));
        if (count < 0 && errno != EINTR) return fail_errno(errno, "waiting for the coordinator");
        return {};
    }

    const std::filesystem::path& path_;
    const Instant end_;
    UniqueFd fd_;
};
}  // namespace

Result<model::api::Reply> ask(const std::filesystem::path& socket, const model::api::Request& request,
                              milliseconds deadline) {
    const std::string message = TRY(codec::encode(request));
    Connection connection(socket, BootClock::now() + deadline);
    TRY(connection.connect());
    TRY(connection.send(framed(message)));
    const std::size_t length = claimed_length(TRY(connection.receive(kLengthBytes)));
    if (length > limits::kApiBytesMax) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("the coordinator's reply is longer than {} bytes: ask for less", limits::kApiBytesMax));
    }
    model::api::Reply reply = TRY(codec::decode_reply(TRY(connection.receive(length))));
    const bool refused_unread = reply.request_id.empty() && std::holds_alternative<model::api::Failure>(reply.body);
    if (reply.request_id != request.request_id && !refused_unread) {
        return fail(ErrorCode::kInternal,
                    fmt::format("the coordinator at {} answered another request than was asked", socket.native()));
    }
    return reply;
}

}  // namespace penumbra::local
