#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "base/c_handle.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "proto/keys.hpp"

namespace penumbra::zmq {

int terminate_context(void* context) noexcept;
int close_socket(void* socket) noexcept;
using ContextHandle = CHandle<void, terminate_context>;
using SocketHandle = CHandle<void, close_socket>;

/// Who may connect, by domain. ZAP (ZeroMQ RFC 27) in a thread of its own, which answers libzmq's I/O threads; nothing
/// is admitted but what admit() said, and sockets of a domain refuse everybody while this does not answer (option 93).
/// admit() and admits() are thread-safe; the rest is thread-bound. Make it before, end it after, every router.
class Gate {
 public:
    [[nodiscard]] static Result<std::unique_ptr<Gate>> create();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    Gate(Gate&&) = delete;
    Gate& operator=(Gate&&) = delete;
    ~Gate();

    /// Only these keys from now on, in this domain; connections of other keys are heard no more.
    void admit(std::string_view domain, std::set<keys::PublicKey> keys);
    /// Any key, in this domain: the enrolment socket, where a token must do.
    void admit_any(std::string_view domain);
    [[nodiscard]] bool admits(std::string_view domain, const keys::PublicKey& key) const;

    /// How often its thread has turned: it must move, or the process must end.
    [[nodiscard]] std::uint64_t turns() const noexcept { return turns_.load(); }
    [[nodiscard]] std::uint64_t denied() const noexcept { return denied_.load(); }
    [[nodiscard]] void* context() noexcept { return context_.get(); }

    /// For tests of what happens when it dies: stops answering.
    void stop() noexcept;

 private:
    struct Domain {
        bool any = false;
        std::set<keys::PublicKey> keys;
    };
    Gate() = default;
    void answer_requests();
    void answer_one();

    ContextHandle context_;
    SocketHandle socket_;
    mutable std::mutex mutex_;
    std::map<std::string, Domain, std::less<>> domains_;
    std::atomic<std::uint64_t> turns_{0};
    std::atomic<std::uint64_t> denied_{0};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace penumbra::zmq
