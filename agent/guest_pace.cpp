#include "agent/guest_pace.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace penumbra::agent {

void pause(std::chrono::nanoseconds time, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, time, [] { return false; });
}

GuestPace::GuestPace(Parts parts, VmId vm, std::stop_token stop)
    : parts_(std::move(parts)), vm_(std::move(vm)), stop_(std::move(stop)), first_(look()) {}

std::optional<hypervisor::GuestIo> GuestPace::look() const {
    const auto counters = parts_.inventory.counters_of(vm_);
    if (!counters.has_value()) return std::nullopt;
    const hypervisor::DiskCounters& disks = counters->disks;
    return hypervisor::GuestIo{.requests = disks.read_requests + disks.write_requests + disks.flush_requests,
                               .time = disks.read_time + disks.write_time + disks.flush_time};
}

void GuestPace::wait(Bytes size) {
    const Instant now = parts_.clock.now();
    if (!pace_.has_value()) {
        const hypervisor::GuestIo before = first_.value_or(hypervisor::GuestIo());
        const hypervisor::GuestIo since = look().value_or(before);
        const bool counts_on = since.requests >= before.requests && since.time >= before.time;
        pace_.emplace(since,
                      counts_on ? hypervisor::GuestIo{.requests = since.requests - before.requests,
                                                      .time = since.time - before.time}
                                : hypervisor::GuestIo(),
                      now);
    } else if (pace_->is_due(now)) {
        if (const auto total = look(); total.has_value()) pace_->observe(*total, now);
    }
    if (const std::chrono::nanoseconds time = pace_->take(size, now); time.count() > 0) parts_.pause(time, stop_);
}

std::string GuestPace::sentence() const {
    if (!pace_.has_value()) return {};
    const auto milliseconds = [](std::chrono::nanoseconds time) {
        return std::chrono::duration<double, std::milli>(time).count();
    };
    std::string text = fmt::format("{} MiB/s", pace_->rate().count() >> 20U);
    if (pace_->is_held_back() && pace_->usual().has_value() && pace_->latest().has_value())
        text += fmt::format(", held back: the VM's disks take {:.1f} ms a request, {:.1f} before",
                            milliseconds(*pace_->latest()), milliseconds(*pace_->usual()));
    return text;
}

}  // namespace penumbra::agent
