#include "hypervisor/copy_pace.hpp"

#include <algorithm>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {

namespace {

using std::chrono::nanoseconds;

std::optional<nanoseconds> usual_of(GuestIo life, GuestIo calm) {
    if (life.requests >= limits::kPaceUsualRequests) {
        calm.time += life.time / life.requests * limits::kPaceUsualRequests;
        calm.requests += limits::kPaceUsualRequests;
    }
    if (calm.requests < limits::kPaceRequestsMin) return std::nullopt;
    return calm.time / calm.requests;
}

nanoseconds time_to_read(Bytes size, Bytes rate) {
    return nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(size.count()) / static_cast<double>(rate.count()) * 1e9));
}

Bytes scaled(Bytes rate, double factor) {
    return Bytes(static_cast<std::uint64_t>(static_cast<double>(rate.count()) * factor));
}

}  // namespace

CopyPace::CopyPace(GuestIo before, GuestIo calm, Instant now)
    : usual_(usual_of(before, calm)),
      seen_(before),
      seen_at_(now),
      due_(now + limits::kPaceWindow),
      free_at_(now),
      rate_(limits::kPaceRateBegin) {}

nanoseconds CopyPace::take(Bytes size, Instant now) {
    // What was not used in time is gone but for a burst.
    free_at_ = std::max(free_at_, now - limits::kPaceBurst) + time_to_read(size, rate_);
    return std::max(free_at_ - now, nanoseconds(0));
}

void CopyPace::observe(GuestIo total, Instant now) {
    if (now < due_) return;
    due_ = now + limits::kPaceWindow;
    if (total.requests < seen_.requests || total.time < seen_.time) {
        seen_ = total;
        seen_at_ = now;
        return;
    }
    const GuestIo since{.requests = total.requests - seen_.requests, .time = total.time - seen_.time};
    // Too few to tell anything: with the next window's, as long as that is not long ago.
    if (since.requests > 0 && since.requests < limits::kPaceRequestsMin && now - seen_at_ < limits::kPacePatience)
        return;
    seen_ = total;
    seen_at_ = now;
    latest_ = since.requests == 0 ? std::nullopt : std::optional(since.time / since.requests);
    // Without anything to compare with, what the guest has at the first, slow rate is what it is used to.
    if (!usual_.has_value()) usual_ = latest_;
    held_back_ = latest_.has_value() && *latest_ > std::max(usual_.value() * limits::kPaceTolerance / 100,
                                                            usual_.value() + limits::kPaceSlack);
    rate_ = held_back_ ? std::max(scaled(rate_, limits::kPaceCut), limits::kPaceRateMin)
                       : std::min(scaled(rate_, limits::kPaceRise), limits::kPaceRateMax);
}

}  // namespace penumbra::hypervisor
