#include "agent/usage_series.hpp"

#include <algorithm>
#include <cmath>

#include "base/limits/flows.hpp"

namespace penumbra::agent {

void UsageSeries::add(WallTime at, const hypervisor::VmCounters& counters) {
    const Sample sample{.at = at,
                        .cpu_s = std::chrono::duration<double>(counters.cpu_time).count(),
                        .read = static_cast<double>(counters.disks.read.count()),
                        .written = static_cast<double>(counters.disks.written.count())};
    if (!samples_.empty()) {
        const Sample& last = samples_.back();
        if (sample.at <= last.at) return;  // the wall clock was set back: wait until it has caught up
        if (sample.cpu_s < last.cpu_s || sample.read < last.read || sample.written < last.written) samples_.clear();
    }
    samples_.push_back(sample);
    if (samples_.size() > limits::kUsageSamplesMax) samples_.pop_front();
}

UsageSeries::Sample UsageSeries::at(WallTime when) const {
    const auto after = std::ranges::lower_bound(samples_, when, {}, &Sample::at);
    if (after == samples_.begin()) return samples_.front();
    if (after == samples_.end()) return samples_.back();
    const Sample& before = *std::prev(after);
    const double share =
        std::chrono::duration<double>(when - before.at) / std::chrono::duration<double>(after->at - before.at);
    return {.at = when,
            .cpu_s = std::lerp(before.cpu_s, after->cpu_s, share),
            .read = std::lerp(before.read, after->read, share),
            .written = std::lerp(before.written, after->written, share)};
}

std::optional<Usage> UsageSeries::between(WallTime from, WallTime to) const {
    if (samples_.empty() || samples_.back().at < to) return std::nullopt;
    if (samples_.front().at >= to || from >= to) return Usage{};
    const Sample begin = at(std::max(from, samples_.front().at));
    const Sample end = at(to);
    const double seconds = std::chrono::duration<double>(end.at - begin.at).count();
    if (seconds <= 0) return Usage{};
    return Usage{.cpu_share = (end.cpu_s - begin.cpu_s) / seconds,
                 .disk_read_bytes = static_cast<std::uint64_t>(std::llround(end.read - begin.read)),
                 .disk_write_bytes = static_cast<std::uint64_t>(std::llround(end.written - begin.written))};
}

}  // namespace penumbra::agent
