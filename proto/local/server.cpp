#include "proto/local/server.hpp"

#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits/sockets.hpp"
#include "base/log.hpp"
#include "proto/codec/codec.hpp"
#include "proto/local/address.hpp"
#include "proto/local/frame.hpp"

namespace penumbra::local {

namespace {
using model::api::Failure;
using model::api::Reply;

Result<gid_t> group_id(const std::string& name) {
    std::vector<char> buffer(16 * 1024);
    group entry{};
    group* found = nullptr;
    const int error = ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error != 0) return fail_errno(error, fmt::format("looking for the group {}", name));
    if (found == nullptr) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("there is no group {}: make it (systemd-sysusers), or name another one", name));
    }
    return found->gr_gid;
}

std::string user_name(uid_t uid) {
    std::vector<char> buffer(16 * 1024);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return std::to_string(uid);
    }
    return found->pw_name;
}

// Somebody listens there now: then it is not ours to replace.
bool answers(const sockaddr_un& address) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return fd.valid() &&
           (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN);
}
}  // namespace

/// One client: reads a request, waits for the answer, writes it, ends. Each stage has a deadline of its own.
class LocalServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
    Connection(LocalServer& server, std::uint64_t number, UniqueFd fd, Peer peer)
        : server_(server), number_(number), fd_(std::move(fd)), peer_(std::move(peer)) {}

    [[nodiscard]] uid_t uid() const noexcept { return peer_.uid; }

    Result<void> start() {
        TRY(end_after(server_.options_.request_time, "the request did not arrive whole in time"));
        return watch(EPOLLIN, [this] { read(); });
    }

    void refuse(ErrorCode code, std::string message) {
        ++server_.refused_;
        reply({.request_id = request_id_, .body = Failure{.code = code, .message = std::move(message)}});
    }

    void reply(const Reply& reply) {
        if (replied_) return;
        replied_ = true;
        Result<std::string> message = codec::encode(reply);
        if (!message.has_value()) {
            message = codec::encode(
                Reply{.request_id = request_id_,
                      .body = Failure{.code = ErrorCode::kInternal,  // ours, not the asker's
                                      .message = "the reply cannot be sent: " + message.error().message}});
        }
        ASSERT(message.has_value());
        bytes_ = framed(*message);
        sent_ = 0;
        deadline_ = {};
        const Result<void> written = watch(EPOLLOUT, [this] { write(); });
        if (!written.has_value() || !end_after(server_.options_.reply_time, "").has_value()) server_.end(number_);
    }

 private:
    Result<void> watch(std::uint32_t events, std::function<void()> ready) {
        source_ = {};  // an fd is watched once
        source_ = TRY(server_.loop_.watch_fd(fd_.get(), events, [this, call = std::move(ready)](std::uint32_t seen) {
            // What a call ends, it ends while this still stands.
            const auto self = shared_from_this();
            if ((seen & (EPOLLIN | EPOLLOUT)) == 0) return server_.end(number_);
            call();
        }));
        return {};
    }

    Result<void> end_after(std::chrono::nanoseconds time, std::string why) {
        deadline_ = TRY(server_.loop_.at(BootClock::now() + time, [this, why = std::move(why)] {
            const auto self = shared_from_this();
            if (replied_) {
                ++server_.refused_;
                return server_.end(number_);
            }
            refuse(ErrorCode::kDeadlineExceeded, why);
        }));
        return {};
    }

    void read() {
        char chunk[64 * 1024];
        const ssize_t count = ::recv(fd_.get(), chunk, sizeof chunk, MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (count <= 0) return server_.end(number_);
        bytes_.append(chunk, static_cast<std::size_t>(count));
        if (bytes_.size() < kLengthBytes) return;
        const std::size_t length = claimed_length(bytes_);
        if (length > limits::kApiRequestBytesMax) {
            return refuse(ErrorCode::kResourceExhausted,
                          fmt::format("the request is longer than {} bytes", limits::kApiRequestBytesMax));
        }
        if (bytes_.size() < kLengthBytes + length) return;
        if (bytes_.size() > kLengthBytes + length) {
            return refuse(ErrorCode::kInvalidArgument, "there is more than one request on this connection");
        }
        ask();
    }

    void ask() {
        Result<model::api::Request> request = codec::decode_request(std::string_view(bytes_).substr(kLengthBytes));
        if (!request.has_value()) return refuse(request.error().code, request.error().message);
        request_id_ = request->request_id;
        bytes_ = {};
        // From here on only the client's going is of interest, which is always told.
        if (!watch(0, [] {}).has_value() ||
            !end_after(server_.options_.answer_time, "the coordinator has no answer yet; see `penumbra events`")
                 .has_value()) {
            return server_.end(number_);
        }
        server_.asked_(std::move(*request), peer_, [weak = weak_from_this()](const Reply& reply) {
            if (const auto self = weak.lock()) self->reply(reply);
        });
    }

    void write() {
        const ssize_t count =
            ::send(fd_.get(), bytes_.data() + sent_, bytes_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (count < 0) return server_.end(number_);
        sent_ += static_cast<std::size_t>(count);
        if (sent_ == bytes_.size()) server_.end(number_);
    }

    LocalServer& server_;
    const std::uint64_t number_;
    const UniqueFd fd_;
    const Peer peer_;
    std::string request_id_;
    std::string bytes_;  // of the request, then of the reply
    std::size_t sent_ = 0;
    bool replied_ = false;
    EventLoop::Source source_;
    EventLoop::Source deadline_;
};

LocalServer::LocalServer(EventLoop& loop, Options options, Asked asked)
    : loop_(loop), options_(std::move(options)), asked_(std::move(asked)) {}

LocalServer::~LocalServer() {
    // Answers that are still kept somewhere find nobody; the file goes while it is still ours.
    connections_.clear();
    if (socket_.valid()) ::unlink(options_.path.c_str());
}

Result<std::unique_ptr<LocalServer>> LocalServer::create(EventLoop& loop, Options options, Asked asked) {
    auto server = std::unique_ptr<LocalServer>(new LocalServer(loop, std::move(options), std::move(asked)));
    TRY(server->listen());
    return server;
}

Result<void> LocalServer::listen() {
    const auto what = [this] { return fmt::format("listening at {}", options_.path.native()); };
    const sockaddr_un address = TRY(address_of(options_.path));
    if (answers(address)) {
        return fail(ErrorCode::kConflict, fmt::format("a coordinator listens at {} already", options_.path.native()));
    }
    struct stat status{};
    if (::lstat(options_.path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) {
            return fail(ErrorCode::kConflict,
                        fmt::format("{} is not a socket and is not replaced: remove it", options_.path.native()));
        }
        if (::unlink(options_.path.c_str()) != 0) return fail_errno(errno, what());
    }
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return fail_errno(errno, what());
    // The file is made with the socket's own mode: nobody gets in between bind() and chmod().
    if (::fchmod(fd.get(), 0600) != 0 ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail_errno(errno, what());
    }
    socket_ = std::move(fd);
    if (!options_.group.empty()) {
        const gid_t group = TRY(group_id(options_.group));
        if (::chown(options_.path.c_str(), static_cast<uid_t>(-1), group) != 0) return fail_errno(errno, what());
    }
    if (::chmod(options_.path.c_str(), options_.mode) != 0 ||
        ::listen(socket_.get(), static_cast<int>(limits::kLocalConnectionsMax)) != 0) {
        return fail_errno(errno, what());
    }
    return watch();
}

Result<void> LocalServer::watch() {
    source_ = TRY(loop_.watch_fd(socket_.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); }));
    return {};
}

void LocalServer::accept_all() {
    while (connections_.size() < limits::kLocalConnectionsMax) {
        UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd.valid() && errno == EAGAIN) return;
        if (!fd.valid()) break;
        admit(std::move(fd));
    }
    // Full, or out of descriptors: the next ones wait in the kernel's backlog. The socket would stay readable and turn
    // the loop without end.
    source_ = {};
    auto retry = loop_.at(BootClock::now() + limits::kLocalAcceptRetry, [this] {
        if (const Result<void> watched = watch(); !watched.has_value()) log::error("local.deaf", watched.error());
    });
    if (!retry.has_value()) return log::error("local.deaf", retry.error());
    retry_ = std::move(*retry);
}

void LocalServer::admit(UniqueFd fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return;
    std::size_t of_user = 0;
    for (const auto& [number, connection] : connections_)
        of_user += connection->uid() == credentials.uid ? 1 : 0;
    const Peer peer{.uid = credentials.uid, .pid = credentials.pid, .user = name_of(credentials.uid)};
    const std::uint64_t number = ++number_;
    const auto connection = std::make_shared<Connection>(*this, number, std::move(fd), peer);
    connections_[number] = connection;
    if (of_user >= limits::kLocalConnectionsPerUserMax) {
        return connection->refuse(ErrorCode::kResourceExhausted,
                                  fmt::format("{} has {} connections to the coordinator already: ask again when one "
                                              "has ended",
                                              peer.user, of_user));
    }
    if (const Result<void> started = connection->start(); !started.has_value()) {
        log::error("local.refused", started.error(), {{"USER", peer.user}});
        end(number);
    }
}

void LocalServer::end(std::uint64_t number) {
    connections_.erase(number);
}

const std::string& LocalServer::name_of(uid_t uid) {
    const auto known = names_.find(uid);
    if (known != names_.end()) return known->second;
    if (names_.size() >= limits::kLocalUsersRemembered) names_.clear();
    return names_[uid] = user_name(uid);
}

}  // namespace penumbra::local
