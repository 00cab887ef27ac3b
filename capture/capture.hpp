#pragma once

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "capture/arm_feed.hpp"
#include "proto/model/kpi.hpp"
#include "replay/exchange.hpp"
#include "replay/frame_ring.hpp"
#include "replay/kpi.hpp"
#include "replay/reassembly.hpp"
#include "replay/report_outbox.hpp"
#include "replay/sampler.hpp"

namespace penumbra::capture {

/// From the ring to the arms: every exchange enters production's KPIs, a sampled one goes to each arm. Thread-bound.
class Capture final : public replay::ExchangeSink {
 public:
    struct Options {
        GroupId group;
        std::vector<packet::Endpoint> servers;
        replay::Sampler::Key key{};
        double share = 1;
    };
    Capture(const Clock& clock, Options options, replay::FrameRing ring, std::vector<std::unique_ptr<ArmFeed>> arms);

    void set_share(double share) { share_ = share; }
    [[nodiscard]] int ring_fd() const noexcept { return ring_.fd(); }
    void read_ring();
    /// Closes windows, flushes tallies, ends what is idle: ten times a second.
    void tick(replay::ReportOutbox& outbox);
    void log_counters();

    void exchange(replay::Exchange exchange) override;
    void lost(const packet::Endpoint& client, replay::CaptureLoss why) override;
    void connection_ended(std::uint64_t connection, Instant when) override;

 private:
    struct Counters {
        std::uint64_t exchanges = 0;
        std::uint64_t admitted = 0;
        std::uint64_t lost_gap = 0;
        std::uint64_t lost_evicted = 0;
        std::uint64_t lost_unsupported = 0;
        std::uint64_t ring_drops = 0;
        std::uint64_t fragments = 0;
        std::uint64_t malformed = 0;
    };
    [[nodiscard]] std::chrono::nanoseconds wall_ahead() const;

    const Clock& clock_;
    replay::FrameRing ring_;
    replay::Reassembly reassembly_;
    replay::Sampler sampler_;
    double share_;
    replay::KpiSeries kpi_;
    std::vector<std::unique_ptr<ArmFeed>> arms_;
    Counters counters_;
};

}  // namespace penumbra::capture
