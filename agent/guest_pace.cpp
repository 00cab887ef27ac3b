#include "agent/guest_pace.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/limits/replica.hpp"

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
    const auto disks = parts_.inventory.disk_counters(vm_);
    if (!disks.has_value()) return std::nullopt;
    return hypervisor::GuestIo{.requests = disks->read_requests + disks->write_requests + disks->flush_requests,
                               .time = disks->read_time + disks->write_time + disks->flush_time};
}

void GuestPace::begin() {
    if (first_.has_value()) parts_.pause(limits::kPaceCalm, stop_);
    const hypervisor::GuestIo before = first_.value_or(hypervisor::GuestIo());
    const hypervisor::GuestIo since = look().value_or(before);
    hypervisor::GuestIo calm;
    if (since.requests >= before.requests && since.time >= before.time)
        calm = {.requests = since.requests - before.requests, .time = since.time - before.time};
    pace_.emplace(since, calm, parts_.clock.now());
}

void GuestPace::wait(Bytes size) {
    ASSERT(pace_.has_value());
    if (pace_->is_due(parts_.clock.now())) {
        if (const auto total = look(); total.has_value()) {
            pace_->observe(*total, parts_.clock.now());
        } else {
            pace_->miss(parts_.clock.now());
        }
    }
    const std::chrono::nanoseconds time = pace_->take(size, parts_.clock.now());
    if (time.count() > 0) parts_.pause(time, stop_);
}

std::string GuestPace::sentence() const {
    if (!pace_.has_value()) return {};
    const auto milliseconds = [](std::chrono::nanoseconds time) {
        return std::chrono::duration<double, std::milli>(time).count();
    };
    std::string text = fmt::format("{} MiB/s", pace_->rate().count() >> 20U);
    if (pace_->is_blind()) return text + ", held back: the VM's disks cannot be asked what they take";
    if (pace_->is_held_back() && pace_->usual().has_value() && pace_->latest().has_value())
        text += fmt::format(", held back: the VM's disks take {:.1f} ms a request, {:.1f} before",
                            milliseconds(*pace_->latest()), milliseconds(*pace_->usual()));
    return text;
}

}  // namespace penumbra::agent
