#include "replay/kpi.hpp"

#include <algorithm>
#include <utility>

#include "base/limits/traffic.hpp"

namespace penumbra::replay {

namespace {
constexpr std::chrono::milliseconds kLength = limits::kKpiWindow;

std::int64_t index_of(std::chrono::milliseconds wall) {
    return std::chrono::floor<std::chrono::milliseconds>(wall) / kLength;
}
}  // namespace

model::ReplayLedger sum_of(const model::ReplayLedger& a, const model::ReplayLedger& b) {
    return {.captured = a.captured + b.captured,
            .replayed = a.replayed + b.replayed,
            .lost_capture_drop = a.lost_capture_drop + b.lost_capture_drop,
            .lost_spool_full = a.lost_spool_full + b.lost_spool_full,
            .lost_connect = a.lost_connect + b.lost_connect,
            .lost_timeout = a.lost_timeout + b.lost_timeout,
            .lost_reset = a.lost_reset + b.lost_reset,
            .lost_not_sent = a.lost_not_sent + b.lost_not_sent};
}

std::uint64_t losses_of(const model::ReplayLedger& ledger) {
    return ledger.lost_capture_drop + ledger.lost_spool_full + ledger.lost_connect + ledger.lost_timeout +
           ledger.lost_reset + ledger.lost_not_sent;
}

KpiSeries::KpiSeries(model::Vantage vantage, WallTime now)
    : vantage_(std::move(vantage)),
      oldest_open_(index_of(now.time_since_epoch())),
      next_sequence_(static_cast<std::uint64_t>(oldest_open_)) {}

void KpiSeries::add(const Exchange& exchange, std::chrono::nanoseconds wall_ahead) {
    const auto wall =
        std::chrono::floor<std::chrono::milliseconds>(exchange.response_end.time_since_epoch() + wall_ahead);
    Counts& counts = open_[std::max(oldest_open_, index_of(wall))];
    ++counts.requests;
    if (exchange.is_error()) ++counts.errors;
    if (exchange.end != ExchangeEnd::kAnswered) return;
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(exchange.response_end - exchange.request_begin);
    counts.response_time.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count())));
}

model::KpiWindow KpiSeries::window_at(std::int64_t index) {
    const auto found = open_.find(index);
    const Counts counts = found == open_.end() ? Counts{} : std::move(found->second);
    open_.erase(index);
    return {.vantage = vantage_,
            .sequence = next_sequence_++,
            .begin = WallTime(index * kLength),
            .length = kLength,
            .requests = counts.requests,
            .errors = counts.errors,
            .response_time = counts.response_time.buckets()};
}

/// Puts everything that waits into the oldest open window.
void KpiSeries::gather() {
    Counts all;
    for (auto at = open_.begin(); at != open_.end(); at = open_.erase(at)) {
        all.requests += at->second.requests;
        all.errors += at->second.errors;
        all.response_time.merge(at->second.response_time);
    }
    open_[oldest_open_] = std::move(all);
}

std::vector<model::KpiWindow> KpiSeries::close(WallTime now, model::ReplayLedger& ledger) {
    const std::int64_t settled = index_of(now.time_since_epoch() - limits::kKpiSettle);
    // A wall clock that was stepped far ahead, or back: go on from where it is now, with everything at hand.
    const auto far = static_cast<std::int64_t>(limits::kKpiWindowsUnacknowledgedMax);
    constexpr std::int64_t kBackwards = 5;
    if (settled - oldest_open_ > far || oldest_open_ - settled > kBackwards) {
        oldest_open_ = settled - 1;
        gather();
    }
    std::vector<model::KpiWindow> closed;
    while (oldest_open_ < settled)
        closed.push_back(window_at(oldest_open_++));
    if (!closed.empty()) closed.back().ledger = std::exchange(ledger, {});
    return closed;
}

}  // namespace penumbra::replay
