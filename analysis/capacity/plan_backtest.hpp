#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "analysis/capacity/scaling_plan.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::capacity {

/// How a way of planning did. Slots without a measured load are not counted.
struct PlanScore {
    std::size_t slots = 0;
    double underprovisioned_share = 0;  ///< of slots in which the load was above what ran
    double unserved_share = 0;          ///< of the load: what was above it
    double spare_share = 0;             ///< of what ran: what stood idle
    std::size_t changes = 0;            ///< instances were started or stopped
};

/// Scores `capacity` against the load that came, slot by slot; NaN is a load that was not measured. Errors:
/// kInvalidArgument for spans of different length, no load at all, or a number that is negative or infinite.
[[nodiscard]] Result<PlanScore> score_plan(std::span<const double> load, std::span<const double> capacity);

/// Writes what is expected of the slots from `now` on, from nothing but the load before it.
using Foresight = std::function<void(std::size_t now, std::span<double> expected)>;

struct PlanReplay {
    std::span<const double> load;  ///< a slot, NaN where it was not measured
    std::chrono::milliseconds step{0};
    std::size_t from = 0;     ///< first slot that is planned and scored; at least 1
    std::size_t horizon = 0;  ///< slots that are foreseen
    double factor = 1;        ///< on what is foreseen: more of it is more spare
};

/// Replays a past: in each slot the planner is asked anew, and what has to be begun now is begun. Starts with what the
/// first plan would run. O(slots * plan). Errors: as ScalingPlanner::plan; kInvalidArgument for a range without slots.
[[nodiscard]] Result<PlanScore> replay_plan(const ScalingPlanner& planner, const PlanReplay& replay,
                                            const Foresight& foresight);

/// The ways of planning that a forecast has to beat: the load just seen goes on; it repeats what it did `period` slots
/// ago; and the one that nobody has, which knows what will come. `load` must outlive them.
[[nodiscard]] Foresight reactive_foresight(std::span<const double> load);
[[nodiscard]] Foresight periodic_foresight(std::span<const double> load, std::size_t period);
[[nodiscard]] Foresight oracle_foresight(std::span<const double> load);

/// The mean of two: where only one knows a slot, that one. A forecast's median flattens a rise whose hour it is not
/// sure of, the same time last week repeats what was chance; their mean announces rises better than either.
[[nodiscard]] Foresight mean_foresight(Foresight one, Foresight other);

/// What counts as a rise: the load, averaged over `blur` slots, is `factor` times what it was `window` slots before,
/// and higher by `least` too.
struct RiseRule {
    std::size_t window = 12;
    std::size_t blur = 3;
    double factor = 1.3;
    double least = 0;
};

/// First slots of the rises of a load; one that goes on, or comes again within a window, counts once.
[[nodiscard]] std::vector<std::size_t> find_rises(std::span<const double> load, const RiseRule& rule);

struct Announcement {
    std::size_t made = 0;  ///< slot in which it was said
    std::size_t due = 0;   ///< slot the rise was announced for
};

struct RiseScore {
    std::size_t rises = 0;
    std::size_t in_time = 0;  ///< announced at least a lead time before, for a slot within a window of the rise
    std::size_t announcements = 0;
    std::size_t false_ones = 0;  ///< no rise within a window of what they were due for
};

/// The rises that a foresight announces in [from, load.size()): the first slot at or after `lead` in which what is
/// expected rises against what was seen or is expected a window before. What is announced already is not said twice.
[[nodiscard]] std::vector<Announcement> announce_rises(std::span<const double> load, std::size_t from, std::size_t lead,
                                                       std::size_t horizon, const RiseRule& rule,
                                                       const Foresight& foresight);

/// Holds announcements against the rises that came in [from, load.size()).
[[nodiscard]] RiseScore score_announcements(std::span<const double> load, std::size_t from, std::size_t lead,
                                            const RiseRule& rule, std::span<const Announcement> announcements);

}  // namespace penumbra::analysis::capacity
