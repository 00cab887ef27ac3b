#include "hypervisor/copy_pace.hpp"

#include <algorithm>
#include <utility>

#include "base/limits/replica.hpp"

namespace penumbra::hypervisor {

namespace {

using std::chrono::nanoseconds;

nanoseconds mean_of(GuestIo io) {
    return io.time / static_cast<nanoseconds::rep>(io.requests);
}

std::optional<nanoseconds> usual_of(GuestIo life, GuestIo calm) {
    if (life.requests >= limits::kPaceUsualRequests) {
        calm.time += mean_of(life) * limits::kPaceUsualRequests;
        calm.requests += limits::kPaceUsualRequests;
    }
    if (calm.requests < limits::kPaceRequestsMin) return std::nullopt;
    return mean_of(calm);
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
    if (calm_until_.has_value()) free_at_ = std::max(free_at_, *calm_until_);
    taken_ += size;
    return std::max(free_at_ - now, nanoseconds(0));
}

void CopyPace::miss(Instant now) noexcept {
    due_ = now + limits::kPacePatience;
    blind_ = true;
    rate_ = limits::kPaceRateMin;
}

void CopyPace::observe(GuestIo total, Instant now) {
    if (now < due_) return;
    due_ = now + limits::kPaceWindow;
    blind_ = false;
    const bool restarted = total.requests < seen_.requests || total.time < seen_.time;
    const GuestIo since{.requests = total.requests - seen_.requests, .time = total.time - seen_.time};
    const nanoseconds passed = now - seen_at_;
    const bool tells = since.requests >= limits::kPaceRequestsMin;
    // Too few to tell anything: together with the next window's.
    if (!restarted && !calm_until_.has_value() && !tells && passed < limits::kPacePatience) return;
    seen_ = total;
    seen_at_ = now;
    const double taken_per_s =
        static_cast<double>(std::exchange(taken_, Bytes()).count()) / std::chrono::duration<double>(passed).count();
    if (std::exchange(calm_until_, std::nullopt).has_value()) {
        if (!restarted && tells) usual_ = mean_of(since);
        slow_since_.reset();
    } else if (!restarted) {
        adjust(since, taken_per_s, now);
    }
}

void CopyPace::adjust(GuestIo since, double taken_per_s, Instant now) {
    latest_ = since.requests == 0 ? std::nullopt : std::optional(mean_of(since));
    // Without anything to compare with, what the guest has at the first, slow rate is what it is used to.
    if (!usual_.has_value()) usual_ = latest_;
    held_back_ = latest_.has_value() && *latest_ > std::max(usual_.value() * limits::kPaceTolerance / 100,
                                                            usual_.value() + limits::kPaceSlack);
    if (held_back_) {
        rate_ = std::max(scaled(rate_, limits::kPaceCut), limits::kPaceRateMin);
    } else {
        const Bytes twice(static_cast<std::uint64_t>(2 * taken_per_s));
        rate_ = std::max(rate_, std::min({scaled(rate_, limits::kPaceRise), twice, limits::kPaceRateMax}));
    }
    if (rate_ > scaled(limits::kPaceRateMin, 2)) {
        slow_since_.reset();
    } else if (!slow_since_.has_value()) {
        slow_since_ = now;
    } else if (latest_.has_value() && now - *slow_since_ >= limits::kPaceRelearn) {
        calm_until_ = due_ = now + limits::kPaceCalm;
    }
}

}  // namespace penumbra::hypervisor
