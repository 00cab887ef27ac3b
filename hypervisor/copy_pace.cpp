#include "hypervisor/copy_pace.hpp"

#include <algorithm>
#include <utility>

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
    taken_ += size;
    return std::max(free_at_ - now, nanoseconds(0));
}

void CopyPace::observe(GuestIo total, Instant now) {
    if (now < due_) return;
    due_ = now + limits::kPaceWindow;
    const bool restarted = total.requests < seen_.requests || total.time < seen_.time;
    const GuestIo since{.requests = total.requests - seen_.requests, .time = total.time - seen_.time};
    const nanoseconds passed = now - seen_at_;
    // Too few to tell anything: together with the next window's.
    if (!restarted && since.requests < limits::kPaceRequestsMin && passed < limits::kPacePatience) return;
    seen_ = total;
    seen_at_ = now;
    const Bytes taken = std::exchange(taken_, Bytes());
    if (restarted) return;
    latest_ =
        since.requests == 0 ? std::nullopt : std::optional(since.time / static_cast<nanoseconds::rep>(since.requests));
    // Without anything to compare with, what the guest has at the first, slow rate is what it is used to.
    if (!usual_.has_value()) usual_ = latest_;
    held_back_ = latest_.has_value() && *latest_ > std::max(usual_.value() * limits::kPaceTolerance / 100,
                                                            usual_.value() + limits::kPaceSlack);
    if (held_back_) {
        rate_ = std::max(scaled(rate_, limits::kPaceCut), limits::kPaceRateMin);
        return;
    }
    const Bytes twice = scaled(taken, 2.0 / std::chrono::duration<double>(passed).count());
    rate_ = std::max(rate_, std::min({scaled(rate_, limits::kPaceRise), twice, limits::kPaceRateMax}));
}

}  // namespace penumbra::hypervisor
