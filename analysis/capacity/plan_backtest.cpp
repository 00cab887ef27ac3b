#include "analysis/capacity/plan_backtest.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

/// The last load that was measured before a slot; 0 when none was.
double last_before(std::span<const double> load, std::size_t slot) noexcept {
    while (slot > 0) {
        if (std::isfinite(load[--slot])) return std::max(0.0, load[slot]);
    }
    return 0;
}

/// Mean of the values that are there, NaN when none is.
double mean_from(std::span<const double> values, std::size_t first, std::size_t count) noexcept {
    double sum = 0;
    double n = 0;
    for (std::size_t i = first; i < std::min(first + count, values.size()); ++i) {
        if (!std::isfinite(values[i])) continue;
        sum += values[i];
        n += 1;
    }
    return sum / n;
}

bool is_rise(double before, double after, const RiseRule& rule) noexcept {
    return after >= rule.factor * before && after - before >= rule.least && after > before;
}

bool are_near(std::size_t a, std::size_t b, std::size_t window) noexcept {
    return (a > b ? a - b : b - a) <= window;
}

/// What runs during a replay.
struct Standing {
    Deployment now;
    std::vector<Growth> growing;  ///< ready_in counts from the present slot
    std::optional<std::chrono::milliseconds> since_change;

    void pass(std::chrono::milliseconds step) {
        for (auto& growth : growing)
            growth.ready_in -= step;
        if (since_change) *since_change += step;
        while (!growing.empty() && growing.front().ready_in <= std::chrono::milliseconds(0)) {
            now = growing.front().target;
            growing.erase(growing.begin());
            since_change = std::chrono::milliseconds(0);
        }
    }

    void begin(const PlanDecision& decision, std::chrono::milliseconds step) {
        if (decision.ready > 0) {
            growing.push_back(
                {.target = decision.target, .ready_in = step * static_cast<std::int64_t>(decision.ready)});
            return;
        }
        now = decision.target;
        since_change = std::chrono::milliseconds(0);
    }
};

}  // namespace

Result<PlanScore> score_plan(std::span<const double> load, std::span<const double> capacity) {
    if (load.size() != capacity.size() || load.size() > limits::kSampleValuesMax) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{} slots of load cannot be scored against {} of capacity",
                                                             load.size(), capacity.size()));
    }
    PlanScore score;
    double asked = 0;
    double unserved = 0;
    double ran = 0;
    double spare = 0;
    std::size_t under = 0;
    for (std::size_t i = 0; i < load.size(); ++i) {
        if (std::isnan(load[i])) continue;
        if (!(load[i] >= 0 && capacity[i] >= 0) || std::isinf(load[i] + capacity[i])) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("slot {} has a load or a capacity that is negative or no number", i));
        }
        score.slots += 1;
        asked += load[i];
        ran += capacity[i];
        unserved += std::max(0.0, load[i] - capacity[i]);
        spare += std::max(0.0, capacity[i] - load[i]);
        under += load[i] > capacity[i] ? 1 : 0;
        score.changes += i > 0 && capacity[i] != capacity[i - 1] ? 1 : 0;
    }
    if (score.slots == 0) return fail(ErrorCode::kInvalidArgument, "no slot with a measured load can be scored");
    score.underprovisioned_share = static_cast<double>(under) / static_cast<double>(score.slots);
    score.unserved_share = asked > 0 ? unserved / asked : 0;
    score.spare_share = ran > 0 ? spare / ran : 0;
    return score;
}

Result<PlanScore> replay_plan(const ScalingPlanner& planner, const PlanReplay& replay, const Foresight& foresight) {
    if (replay.from == 0 || replay.from >= replay.load.size() || replay.horizon == 0 ||
        replay.horizon > limits::kForecastHorizonMax || !(replay.factor >= 0)) {
        return fail(ErrorCode::kInvalidArgument,
                    "a replay needs a slot before the first planned one, slots after it, and a horizon");
    }
    std::vector<double> expected(replay.horizon);
    std::vector<double> capacity;
    std::optional<Standing> standing;
    for (std::size_t slot = replay.from; slot < replay.load.size(); ++slot) {
        foresight(slot, expected);
        for (double& value : expected)
            value = std::max(0.0, replay.factor * value);
        if (standing) standing->pass(replay.step);
        PlanQuestion question{.demand = expected, .step = replay.step, .observed = last_before(replay.load, slot)};
        if (standing) {
            question.standing = standing->now;
            question.under_way = standing->growing;
            question.since_change = standing->since_change;
        }
        const auto plan = TRY(planner.plan(question));
        // a past begins with something that ran: what the first plan comes to
        if (!standing)
            standing = Standing{.now = plan.steps.back()};
        else {
            for (const auto& decision : plan.decisions) {
                if (decision.begin == 0 && decision.action != PlanAction::kKeep) standing->begin(decision, replay.step);
            }
        }
        capacity.push_back(standing->now.per_second);
    }
    return score_plan(replay.load.subspan(replay.from), capacity);
}

Foresight reactive_foresight(std::span<const double> load) {
    return [load](std::size_t now, std::span<double> expected) { std::ranges::fill(expected, last_before(load, now)); };
}

Foresight periodic_foresight(std::span<const double> load, std::size_t period) {
    return [load, period](std::size_t now, std::span<double> expected) {
        for (std::size_t k = 0; k < expected.size(); ++k) {
            // nothing at or after `now` is known, whatever the period
            const std::size_t back = period * (k / period + 1);
            expected[k] = now + k >= back ? last_before(load, now + k - back + 1) : last_before(load, now);
        }
    };
}

Foresight oracle_foresight(std::span<const double> load) {
    return [load](std::size_t now, std::span<double> expected) {
        for (std::size_t k = 0; k < expected.size(); ++k)
            expected[k] = last_before(load, std::min(now + k + 1, load.size()));
    };
}

Foresight mean_foresight(Foresight one, Foresight other) {
    return [one = std::move(one), other = std::move(other)](std::size_t now, std::span<double> expected) {
        std::vector<double> second(expected.size());
        one(now, expected);
        other(now, second);
        for (std::size_t k = 0; k < expected.size(); ++k) {
            if (!std::isfinite(second[k])) continue;
            expected[k] = std::isfinite(expected[k]) ? (expected[k] + second[k]) / 2 : second[k];
        }
    };
}

std::vector<std::size_t> find_rises(std::span<const double> load, const RiseRule& rule) {
    std::vector<std::size_t> rises;
    std::size_t quiet_from = 0;
    for (std::size_t i = rule.window; i < load.size(); ++i) {
        const double after = mean_from(load, i, rule.blur);
        const double before = mean_from(load, i - rule.window, rule.blur);
        if (!is_rise(before, after, rule)) continue;
        if (i >= quiet_from) rises.push_back(i);
        quiet_from = i + rule.window;
    }
    return rises;
}

std::vector<Announcement> announce_rises(std::span<const double> load, std::size_t from, std::size_t lead,
                                         std::size_t horizon, const RiseRule& rule, const Foresight& foresight) {
    std::vector<Announcement> said;
    std::vector<double> seen;
    std::vector<double> expected(horizon);
    for (std::size_t now = from; now < load.size(); ++now) {
        foresight(now, expected);
        // what was seen over the last window, and what is expected after it, as one series
        const std::size_t back = std::min(now, rule.window);
        seen.assign(load.begin() + static_cast<std::ptrdiff_t>(now - back),
                    load.begin() + static_cast<std::ptrdiff_t>(now));
        seen.insert(seen.end(), expected.begin(), expected.end());
        for (std::size_t k = std::max(lead, rule.window - back); k + rule.blur <= horizon; ++k) {
            const double after = mean_from(seen, back + k, rule.blur);
            const double before = mean_from(seen, back + k - rule.window, rule.blur);
            if (!is_rise(before, after, rule)) continue;
            // a rise that goes on moves its own announcement along
            if (!said.empty() && now + k <= said.back().due + rule.window) break;
            said.push_back({.made = now, .due = now + k});
            break;
        }
    }
    return said;
}

RiseScore score_announcements(std::span<const double> load, std::size_t from, std::size_t lead, const RiseRule& rule,
                              std::span<const Announcement> announcements) {
    RiseScore score;
    const auto rises = find_rises(load, rule);
    for (const std::size_t rise : rises) {
        if (rise < from + lead) continue;
        score.rises += 1;
        score.in_time += std::ranges::any_of(announcements, [&](const Announcement& said) {
            return said.made + lead <= rise && are_near(said.due, rise, rule.window);
        });
    }
    for (const auto& said : announcements) {
        if (said.due >= load.size()) continue;  // nobody knows yet
        score.announcements += 1;
        score.false_ones +=
            std::ranges::none_of(rises, [&](std::size_t rise) { return are_near(said.due, rise, rule.window); });
    }
    return score;
}

}  // namespace penumbra::analysis::capacity
