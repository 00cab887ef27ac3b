#include "agent/core/contact.hpp"

#include <algorithm>

#include "base/limits/agent.hpp"
#include "base/limits/link.hpp"

namespace penumbra::agent {

namespace {
using std::chrono::milliseconds;

milliseconds share_of(milliseconds spread, Random& random) {
    const auto bound = static_cast<std::uint64_t>(std::max<std::int64_t>(1, spread.count()));
    return milliseconds(static_cast<std::int64_t>(uniform(random, bound)));
}
}  // namespace

Contact::Contact(Epoch epoch_max_seen, Instant now, Random& random)
    : epoch_(epoch_max_seen),
      interval_(limits::kHeartbeatInterval),
      spread_(limits::kFirstSpread),
      retry_(limits::kHelloRetryBase) {
    wait(share_of(spread_, random), now);
}

void Contact::wait(milliseconds delay, Instant now) noexcept {
    phase_ = Phase::kWaiting;
    session_ = {};
    wake_ = now + delay;
}

Contact::Due Contact::due(Instant now, Random& random) {
    if (now < wake_) return Due::kNothing;
    switch (phase_) {
        case Phase::kWaiting:
            phase_ = Phase::kGreeting;
            wake_ = now + std::max(interval_, retry_);
            if (fresh_socket_) {
                fresh_socket_ = false;
                return Due::kHello;
            }
            return Due::kReconnect;
        case Phase::kGreeting: {
            // No Welcome: perhaps the storm is our own fault, so each wait is longer than the last.
            const Backoff backoff{.base = limits::kHelloRetryBase,
                                  .cap = std::max<milliseconds>(limits::kHelloRetryMax, 2 * spread_)};
            retry_ = backoff.next(retry_, random);
            wait(retry_, now);
            return Due::kNothing;
        }
        case Phase::kInSession:
            if (now - heard_ >= interval_ * limits::kHeartbeatsMissedSuspect) {
                wait(share_of(spread_, random), now);
                return Due::kNothing;
            }
            wake_ = now + interval_;
            return Due::kHeartbeat;
    }
    return Due::kNothing;
}

bool Contact::welcome(const model::Welcome& welcome, Instant now) {
    if (phase_ != Phase::kGreeting || welcome.answers != hello_) return false;
#ifndef PENUMBRA_MUTATE_EPOCH
    if (welcome.session.epoch < epoch_) return false;
#endif
    phase_ = Phase::kInSession;
    epoch_ = std::max(epoch_, welcome.session.epoch);
    session_ = welcome.session;
    sequence_ = 0;
    retry_ = limits::kHelloRetryBase;
    if (welcome.heartbeat_interval > milliseconds(0)) interval_ = welcome.heartbeat_interval;
    if (welcome.reconnect_spread > milliseconds(0)) spread_ = welcome.reconnect_spread;
    heard_ = now;
    wake_ = now;
    return true;
}

bool Contact::reset(const model::SessionId& session, milliseconds retry_after, Instant now, Random& random) {
    const bool ours = in_session(session) || (phase_ == Phase::kGreeting && session == model::SessionId{});
    if (!ours) return false;
    wait(std::max(retry_after, share_of(std::min<milliseconds>(spread_, limits::kFirstSpread), random)), now);
    return true;
}

}  // namespace penumbra::agent
