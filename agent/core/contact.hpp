#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "agent/core/events.hpp"
#include "base/backoff.hpp"
#include "base/clock.hpp"

namespace penumbra::agent {

/// Contact with the coordinator: Hello until Welcome, heartbeats while in session, a new socket after silence or Reset.
/// A reconnecting agent first waits a uniform share of the spread the coordinator handed out: no storm (research
/// fleet.md section b). Pure; the epoch it admits only grows.
class Contact {
 public:
    enum class Phase : unsigned char { kWaiting, kGreeting, kInSession };
    enum class Due : unsigned char { kNothing, kHello, kReconnect, kHeartbeat };

    Contact(Epoch epoch_max_seen, Instant now, Random& random);

    /// What is to be done at `now`; moves its own deadlines on.
    [[nodiscard]] Due due(Instant now, Random& random);
    [[nodiscard]] Instant next_wake() const noexcept { return wake_; }

    /// True when the Welcome begins a session; false when it is for another Hello or of an older coordinator life.
    [[nodiscard]] bool welcome(const model::Welcome& welcome, Instant now);
    /// A Reset of the session this agent is in, or of its Hello: a new socket after `retry_after` or its own share.
    [[nodiscard]] bool reset(const model::SessionId& session, std::chrono::milliseconds retry_after, Instant now,
                             Random& random);
    void acknowledged(Instant now) noexcept { heard_ = now; }

    [[nodiscard]] bool in_session() const noexcept { return phase_ == Phase::kInSession; }
    [[nodiscard]] bool in_session(const model::SessionId& session) const noexcept {
        return in_session() && session == session_;
    }
    [[nodiscard]] const model::SessionId& session() const noexcept { return session_; }
    [[nodiscard]] Epoch epoch() const noexcept { return epoch_; }
    [[nodiscard]] std::chrono::milliseconds heartbeat_interval() const noexcept { return interval_; }
    /// The number for the next envelope of this session; of a Hello: of this process.
    [[nodiscard]] std::uint64_t next_sequence() noexcept { return ++sequence_; }
    [[nodiscard]] std::uint64_t next_hello() noexcept { return ++hello_; }

 private:
    void wait(std::chrono::milliseconds delay, Instant now) noexcept;

    Phase phase_ = Phase::kWaiting;
    Epoch epoch_;
    model::SessionId session_;
    std::uint64_t sequence_ = 0;
    std::uint64_t hello_ = 0;
    std::chrono::milliseconds interval_;
    std::chrono::milliseconds spread_;
    std::chrono::milliseconds retry_;
    Instant heard_{};
    Instant wake_{};
    bool fresh_socket_ = true;  ///< the first Hello needs no reconnect
};

}  // namespace penumbra::agent
