#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "proto/model/kpi.hpp"
#include "replay/egress_trap.hpp"
#include "replay/exchange.hpp"
#include "replay/exchange_stream.hpp"
#include "replay/frame_ring.hpp"
#include "replay/kpi.hpp"
#include "replay/player.hpp"
#include "replay/reassembly.hpp"
#include "replay/report_outbox.hpp"

namespace penumbra::sandbox {

/// One arm's replay: takes exchanges from the capture, plays them to the arm, and reads the arm's answers off the wire
/// with the same framer that read production's. When the capture goes away, or on stop(), what is still to be played is
/// played or counted, the last window is reported, and the loop ends. Thread-bound.
class Sandbox final : public replay::ExchangeSink {
 public:
    struct Options {
        model::Vantage vantage;
        std::vector<packet::Endpoint> servers;
        std::string capture_socket;
    };
    Sandbox(EventLoop& loop, const Clock& clock, Options options, replay::Schedule schedule, replay::FrameRing ring);

    /// Begins to look for the capture; after that the reports go to `outbox`, which must outlive the loop's run.
    [[nodiscard]] Result<void> start(replay::ReportOutbox& outbox);
    void set_multiple(double multiple) { player_.set_multiple(multiple); }
    void stop();
    [[nodiscard]] int ring_fd() const noexcept { return ring_.fd(); }
    void log_counters();

    void exchange(replay::Exchange exchange) override;
    void lost(const packet::Endpoint& client, replay::CaptureLoss why) override;
    void connection_ended(std::uint64_t connection, Instant when) override;

 private:
    void connect();
    void read_stream();
    void read_ring();
    void tick();
    void finish();
    [[nodiscard]] std::chrono::nanoseconds wall_ahead() const;

    EventLoop& loop_;
    const Clock& clock_;
    Options options_;
    replay::FrameRing ring_;
    replay::Reassembly reassembly_;
    replay::EgressTrap egress_;
    replay::KpiSeries kpi_;
    replay::Player player_;
    replay::StreamDecoder decoder_;
    replay::ReportOutbox* outbox_ = nullptr;  // borrowed from start() on
    UniqueFd capture_;
    EventLoop::Source ring_io_;
    EventLoop::Source capture_io_;
    EventLoop::Source tick_;
    model::ReplayLedger ledger_;  // not yet in a window
    model::ReplayLedger total_;
    std::uint64_t lost_answers_ = 0;
    bool ended_ = false;    // no more exchanges will come
    Instant give_up_at_{};  // of ended_, once everything is played
    bool last_window_ = false;
};

}  // namespace penumbra::sandbox
