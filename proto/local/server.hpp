#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <sys/types.h>

#include "base/event_loop.hpp"
#include "base/limits/sockets.hpp"
#include "base/unique_fd.hpp"
#include "proto/model/api.hpp"

namespace penumbra::local {

/// Who asks, by the kernel's word (SO_PEERCRED), not the client's.
struct Peer {
    uid_t uid = 0;
    pid_t pid = 0;
    std::string user;  ///< the name of `uid`, or its number where it has none
};

/// Gives the one reply to the one request of a connection: at once or in any later turn (after a commit), in the
/// loop's thread. Does nothing when the client has gone meanwhile, or was answered.
using Answer = std::function<void(const model::api::Reply& reply)>;

/// The coordinator's end of the local socket (design D15): whoever may open the socket's file is heard, and every
/// request carries the user it came from. Peers that are malformed, too big or too slow are answered with a Failure
/// where they can hear it and cut; they take no more than one connection's buffer. Thread-bound.
class LocalServer {
 public:
    using Asked = std::function<void(model::api::Request request, const Peer& peer, Answer answer)>;
    struct Options {
        std::filesystem::path path{"/run/penumbra/coordinator/api.sock"};
        mode_t mode = 0660;
        std::string group;  ///< whose members may ask; empty: the process's own
        std::chrono::nanoseconds request_time = limits::kLocalRequestTime;  ///< for a request to arrive whole
        std::chrono::nanoseconds answer_time = limits::kLocalAnswerTime;    ///< for its answer to be given
        std::chrono::nanoseconds reply_time = limits::kLocalReplyTime;      ///< for the client to have read it
    };

    /// Listens at once. What a dead coordinator left at `path` is replaced; kConflict when a living one listens there,
    /// kNotFound when the group does not exist.
    [[nodiscard]] static Result<std::unique_ptr<LocalServer>> create(EventLoop& loop, Options options, Asked asked);
    LocalServer(const LocalServer&) = delete;
    LocalServer& operator=(const LocalServer&) = delete;
    LocalServer(LocalServer&&) = delete;
    LocalServer& operator=(LocalServer&&) = delete;
    /// Cuts every connection and removes the socket's file.
    ~LocalServer();

    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
    class Connection;

    LocalServer(EventLoop& loop, Options options, Asked asked);
    [[nodiscard]] Result<void> listen();
    [[nodiscard]] Result<void> watch();
    void accept_all();
    void admit(UniqueFd fd);
    void end(std::uint64_t number);
    [[nodiscard]] const std::string& name_of(uid_t uid);

    EventLoop& loop_;
    const Options options_;
    const Asked asked_;
    UniqueFd socket_;
    EventLoop::Source source_;
    EventLoop::Source retry_;
    std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    std::map<uid_t, std::string> names_;  // asked of the system once: a directory service may be slow
    std::uint64_t number_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace penumbra::local
