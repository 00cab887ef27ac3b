#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/limits/traffic.hpp"
#include "base/unique_fd.hpp"
#include "proto/model/kpi.hpp"
#include "replay/exchange.hpp"
#include "replay/exchange_stream.hpp"
#include "replay/schedule.hpp"

namespace penumbra::replay {

/// Sends production's requests again over kernel TCP: one connection for each of production's and of its copies, bound
/// to the client's own address (the namespace holds every address as local: AnyIP), kept alive as long as production
/// kept it, one request outstanding. A request leaves at its planned time or, when the answer before it is still to
/// come, right after that. Every way in which an exchange is not answered is a counted loss, and at any time
/// captured == replayed + losses + waiting(). Thread-bound to `loop`, which must outlive it.
class Player {
 public:
    struct Options {
        std::chrono::nanoseconds connect_max = limits::kReplayConnectMax;
        std::chrono::nanoseconds answer_max = limits::kReplayAnswerMax;
        std::size_t connections_max = limits::kReplayConnectionsMax;
        std::size_t queued_bytes_max = limits::kReplayQueuedBytesMax;
    };
    struct Counters {
        std::uint64_t connects = 0;
        std::uint64_t ports_shifted = 0;  ///< the client's own port was still taken
        std::uint64_t late = 0;           ///< sent more than 10 ms after its planned time
    };

    Player(EventLoop& loop, const Clock& clock, Schedule schedule, Options options);
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;
    Player(Player&&) = delete;
    Player& operator=(Player&&) = delete;
    ~Player();

    void take(StreamRecord record);
    void set_multiple(double multiple) { schedule_.set_multiple(multiple); }
    /// Nothing more is sent: what waits is counted as not sent, what is outstanding too.
    void stop();

    /// What happened since the last call.
    [[nodiscard]] model::ReplayLedger take_ledger() { return std::exchange(ledger_, {}); }
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

 private:
    struct Pending {
        Instant at;
        std::shared_ptr<const Exchange> exchange;
    };
    struct Line;
    using Name = std::pair<std::uint64_t, unsigned>;  // production's connection, copy

    void add(const Exchange& exchange);
    void end(const ConnectionEnd& end);
    void advance(const Name& name);
    void open(Line& line);
    void send_rest(Line& line);
    void receive(Line& line);
    void take_answer(Line& line, packet::ByteView bytes);
    void ready(const Name& name, std::uint32_t events);
    void overdue(const Name& name);
    void finish_front(Line& line, std::uint64_t model::ReplayLedger::* counter);
    void hang_up(Line& line);
    void arm(Line& line, Instant when);
    [[nodiscard]] bool bind_to_client(Line& line);

    EventLoop& loop_;
    const Clock& clock_;
    Schedule schedule_;
    Options options_;
    model::ReplayLedger ledger_;
    Counters counters_;
    std::map<Name, std::unique_ptr<Line>> lines_;
    std::size_t waiting_ = 0;
    std::size_t queued_bytes_ = 0;
};

}  // namespace penumbra::replay
