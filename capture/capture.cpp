#include "capture/capture.hpp"

#include <string>
#include <utility>

#include "base/limits/traffic.hpp"
#include "base/log.hpp"
#include "packet/segment.hpp"

namespace penumbra::capture {

Capture::Capture(const Clock& clock, Options options, replay::FrameRing ring,
                 std::vector<std::unique_ptr<ArmFeed>> arms)
    : clock_(clock),
      ring_(std::move(ring)),
      reassembly_({.servers = std::move(options.servers)}, *this),
      sampler_(options.key, replay::Sampler::Purpose::kShare),
      share_(options.share),
      kpi_({.group = std::move(options.group)}, clock.wall()),
      arms_(std::move(arms)) {}

std::chrono::nanoseconds Capture::wall_ahead() const {
    return clock_.wall().time_since_epoch() - clock_.now().time_since_epoch();
}

void Capture::read_ring() {
    ring_.read(wall_ahead(), [this](packet::ByteView frame, Instant when) {
        const packet::Classified classified = packet::classify(frame);
        if (classified.kind == packet::FrameKind::kTcp) reassembly_.segment(classified.segment, when);
        if (classified.kind == packet::FrameKind::kFragment) ++counters_.fragments;
        if (classified.kind == packet::FrameKind::kMalformed) ++counters_.malformed;
    });
}

void Capture::tick(replay::ReportOutbox& outbox) {
    counters_.ring_drops += ring_.take_drops();
    reassembly_.expire(clock_.now(), limits::kConnectionIdleMax);
    for (const auto& arm : arms_)
        arm->flush();
    model::ReplayLedger none;  // arms only
    for (const model::KpiWindow& window : kpi_.close(clock_.wall(), none))
        outbox.push(window);
}

void Capture::exchange(replay::Exchange exchange) {
    ++counters_.exchanges;
    kpi_.add(exchange, wall_ahead());
    if (!sampler_.admits(exchange.client, share_)) return;
    ++counters_.admitted;
    const packet::Buffer record = replay::encode(std::move(exchange));
    for (const auto& arm : arms_)
        arm->exchange(record);
}

void Capture::lost(const packet::Endpoint& client, replay::CaptureLoss why) {
    if (why == replay::CaptureLoss::kGap) ++counters_.lost_gap;
    if (why == replay::CaptureLoss::kEvicted) ++counters_.lost_evicted;
    if (why == replay::CaptureLoss::kUnsupported) ++counters_.lost_unsupported;
    if (!sampler_.admits(client, share_)) return;
    for (const auto& arm : arms_)
        arm->lost();
}

void Capture::connection_ended(std::uint64_t connection, Instant when) {
    const packet::Buffer record = replay::encode(replay::ConnectionEnd{.connection = connection, .when = when});
    for (const auto& arm : arms_)
        arm->connection_end(record);
}

void Capture::log_counters() {
    const replay::Reassembly::Counters& seen = reassembly_.counters();
    log::event(log::Level::kInfo, "capture.counters", "what the capture has seen so far",
               {{"EXCHANGES", std::to_string(counters_.exchanges)},
                {"ADMITTED", std::to_string(counters_.admitted)},
                {"LOST_GAP", std::to_string(counters_.lost_gap)},
                {"LOST_EVICTED", std::to_string(counters_.lost_evicted)},
                {"LOST_UNSUPPORTED", std::to_string(counters_.lost_unsupported)},
                {"RING_DROPS", std::to_string(counters_.ring_drops)},
                {"FRAGMENTS", std::to_string(counters_.fragments)},
                {"MALFORMED", std::to_string(counters_.malformed)},
                {"SEGMENTS", std::to_string(seen.segments)},
                {"OTHER_SEGMENTS", std::to_string(seen.other_segments)},
                {"CONNECTIONS", std::to_string(seen.connections)},
                {"JOINED_UNDER_WAY", std::to_string(seen.joined_under_way)},
                {"OPAQUE", std::to_string(seen.opaque)}});
}

}  // namespace penumbra::capture
