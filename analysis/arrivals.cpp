#include "analysis/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/core.h>

#include "analysis/random.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis {

namespace {

using Times = std::vector<std::chrono::nanoseconds>;
using Rate = std::function<double(double)>;

constexpr double kLagShareMax = 0.05;
constexpr double kSentShareMin = 0.98;
constexpr double kLittleErrorMax = 0.02;

std::chrono::nanoseconds instant(double seconds) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

Result<void> check_rate(double rate) {
    if (std::isfinite(rate) && rate >= 0) return {};
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} requests a second is no rate", rate));
}

Result<void> check_count(double expected) {
    if (expected <= static_cast<double>(limits::kArrivalsMax)) return {};
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("a load step of {:.3g} requests is longer than the {} planned at once", expected,
                            limits::kArrivalsMax));
}

/// Poisson with a rate that changes: candidates at the highest rate, each kept with its moment's share of it.
Result<Times> thinned(const Rate& rate, double highest, double length_s, std::uint64_t seed) {
    TRY(check_rate(highest));
    TRY(check_count(highest * length_s));
    Times times;
    if (highest == 0) return times;
    Random random(seed);
    for (double at = random.exponential() / highest; at < length_s; at += random.exponential() / highest) {
        if (random.uniform() * highest < rate(at)) times.push_back(instant(at));
    }
    return times;
}

Result<Times> traced(const TraceArrivals& trace, double length_s) {
    if (!(trace.speed > 0) || !std::isfinite(trace.speed) || trace.at.empty() || !std::ranges::is_sorted(trace.at) ||
        trace.at.front().count() < 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "a trace needs rising instants from 0 on, at least one, and a speed above 0");
    }
    // one mean gap after the last request the trace begins again
    const double last = std::chrono::duration<double>(trace.at.back()).count();
    const double turn = last + std::max(last / static_cast<double>(trace.at.size()), 1e-6);
    TRY(check_count(length_s * trace.speed / turn * static_cast<double>(trace.at.size())));
    Times times;
    for (double begin = 0; begin < length_s * trace.speed; begin += turn) {
        for (const auto at : trace.at) {
            const double when = (begin + std::chrono::duration<double>(at).count()) / trace.speed;
            if (when >= length_s) break;
            times.push_back(instant(when));
        }
    }
    return times;
}

}  // namespace

Result<Times> schedule(const Arrivals& arrivals, std::chrono::nanoseconds length, std::uint64_t seed) {
    const double length_s = std::chrono::duration<double>(length).count();
    if (length_s <= 0) return fail(ErrorCode::kInvalidArgument, "a load step has a length above 0");
    if (const auto* trace = std::get_if<TraceArrivals>(&arrivals)) return traced(*trace, length_s);
    if (const auto* poisson = std::get_if<PoissonArrivals>(&arrivals)) {
        return thinned([&](double) { return poisson->per_second; }, poisson->per_second, length_s, seed);
    }
    if (const auto* ramp = std::get_if<RampArrivals>(&arrivals)) {
        TRY(check_rate(ramp->from_per_second));
        TRY(check_rate(ramp->to_per_second));
        const double rise = (ramp->to_per_second - ramp->from_per_second) / length_s;
        return thinned([&](double at) { return ramp->from_per_second + rise * at; },
                       std::max(ramp->from_per_second, ramp->to_per_second), length_s, seed);
    }
    const auto& burst = std::get<BurstArrivals>(arrivals);
    const double period = std::chrono::duration<double>(burst.period).count();
    const double loud = std::chrono::duration<double>(burst.length).count();
    if (!(burst.factor >= 1) || !std::isfinite(burst.factor) || period <= 0 || loud < 0 || loud > period) {
        return fail(ErrorCode::kInvalidArgument, "a burst needs a factor of at least 1 and a length within its period");
    }
    return thinned([&](double at) { return burst.per_second * (std::fmod(at, period) < loud ? burst.factor : 1); },
                   burst.per_second * burst.factor, length_s, seed);
}

std::string load_step_fault(const LoadStepFacts& facts) {
    if (facts.dropped_by_client > 0)
        return fmt::format("the load generator dropped {} requests", facts.dropped_by_client);
    if (static_cast<double>(facts.sent) < kSentShareMin * static_cast<double>(facts.planned)) {
        return fmt::format("the load generator sent {} of {} planned requests", facts.sent, facts.planned);
    }
    if (facts.objective_us > 0 && facts.send_lag_p99_us > kLagShareMax * facts.objective_us) {
        return fmt::format(
            "the load generator lagged {:.0f} us at p99, more than {:.0f} % of the objective of {:.0f} us",
            facts.send_lag_p99_us, 100 * kLagShareMax, facts.objective_us);
    }
    if (facts.in_flight_mean > 0 && facts.seconds > 0) {
        const double expected = static_cast<double>(facts.sent) / facts.seconds * facts.response_mean_us / 1e6;
        if (std::abs(facts.in_flight_mean - expected) > kLittleErrorMax * std::max(expected, facts.in_flight_mean)) {
            return fmt::format("{:.2f} requests were in flight where Little's law says {:.2f}: the step was not steady",
                               facts.in_flight_mean, expected);
        }
    }
    return {};
}

}  // namespace penumbra::analysis
