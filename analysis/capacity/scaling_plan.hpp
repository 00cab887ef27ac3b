#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penumbra::analysis::capacity {

/// An instance that was measured. `per_second` is what one of them holds within its objective: the lower bound, since
/// the plan rests on it; sigma and kappa are how several disturb each other (ScalingLaw), 0 when they do not.
struct InstanceSize {
    unsigned vcpus = 1;
    std::uint64_t memory_bytes = 0;
    double per_second = 0;
    double sigma = 0;
    double kappa = 0;
};

/// What one host can give to the group, and how many there are.
struct HostPool {
    unsigned vcpus = 0;
    std::uint64_t memory_bytes = 0;
    unsigned count = 0;
};

/// Prices of an hour, in any one currency. Without better knowledge: memory and vCPUs as clouds price them.
struct Prices {
    double vcpu = 1;
    double gibibyte = 0.125;
    double instance = 0;
    double host = 0;
};

struct PlanPolicy {
    unsigned hosts_may_fail = 1;  ///< at once; what is left must hold the load
    unsigned instances_min = 1;
    std::chrono::milliseconds lead_time = std::chrono::minutes(15);      ///< from a decision until it serves
    std::chrono::milliseconds grow_ahead = std::chrono::minutes(15);     ///< growth serves the highest load so far on
    std::chrono::milliseconds cooldown = std::chrono::minutes(10);       ///< after a change nothing shrinks
    std::chrono::milliseconds scale_in_hold = std::chrono::minutes(30);  ///< the load must stay lower for so long
    double scale_in_margin = 0.05;  ///< share of what would be left that must be spare
    double resize_saving = 0.1;     ///< share of the cost below which a size is kept
};

struct PlanOptions {
    std::vector<InstanceSize> sizes;
    HostPool hosts;
    Prices prices;
    PlanPolicy policy;
};

/// What runs, or would. Instances are spread evenly over the hosts.
struct Deployment {
    std::size_t size = 0;  ///< index in PlanOptions::sizes
    unsigned instances = 0;
    unsigned hosts = 0;
    double per_second = 0;  ///< what is left of it holds when `hosts_may_fail` of its fullest hosts are lost
    double cost = 0;        ///< an hour
    bool operator==(const Deployment&) const = default;
};

/// Growth that was begun and does not serve yet.
struct Growth {
    Deployment target;
    std::chrono::milliseconds ready_in{0};
};

struct PlanQuestion {
    std::span<const double> demand;      ///< a second: the forecast quantile of each step, the first one begins now
    std::chrono::milliseconds step{0};   ///< of the grid
    double observed = 0;                 ///< present load: nothing shrinks below it
    std::optional<Deployment> standing;  ///< size and numbers count, the rest is worked out; nullopt: nothing runs
    std::span<const Growth> under_way;
    std::optional<std::chrono::milliseconds> since_change;  ///< nullopt: long ago
    double quantile = 0.95;                                 ///< that `demand` is, for the reasons
};

enum class PlanAction : std::uint8_t { kKeep, kGrow, kShrink };
[[nodiscard]] std::string_view to_string(PlanAction action) noexcept;

struct PlanDecision {
    PlanAction action = PlanAction::kKeep;
    std::size_t begin = 0;  ///< step in which it has to be started; 0: now
    std::size_t ready = 0;  ///< step from which it serves
    Deployment target;
    bool late = false;   ///< it cannot serve when it is needed: the lead time is longer than the warning was
    std::string reason;  ///< one sentence
};

struct ScalingPlan {
    std::vector<Deployment> steps;         ///< what serves in each step
    std::vector<PlanDecision> decisions;   ///< by `begin`; the first one is what to do now, kKeep included
    std::size_t short_steps = 0;           ///< that the plan does not hold: too late, or the hosts are too few
    std::optional<unsigned> hosts_needed;  ///< when the pool is too small for the peak: how many hosts would hold it
    double cost = 0;                       ///< of the whole plan
    std::string explanation;               ///< size, extremes, cost and what is missing, in one or two sentences
};

/// Plans what to run so that an objective holds at a forecast quantile: the cheapest deployment that still holds the
/// load with hosts lost, started a lead time ahead, shrunk only after a cooldown, when the load stays lower for a while
/// and with a margin. One size a plan: an instance changes its size by a rollout, its number by starting another.
/// Growth is never held back. Value type, immutable, safe to share; pure and deterministic.
class ScalingPlanner {
 public:
    /// Lists every number of instances and hosts of every size that no cheaper one beats. O(sizes * instances * hosts).
    /// Errors: kInvalidArgument for no size, a size or host without vCPUs, a capacity not above 0, a negative or
    /// infinite number, or a policy without meaning; kUnsupported when no deployment survives `hosts_may_fail`.
    [[nodiscard]] static Result<ScalingPlanner> make(PlanOptions options);

    /// The cheapest deployment that holds `demand`; ties go to fewer hosts, then instances, then the earlier size.
    /// O(sizes * log). Errors: kInvalidArgument for a demand that is negative or no number; kResourceExhausted when
    /// the pool cannot hold it, with what it can and how many hosts would.
    [[nodiscard]] Result<Deployment> cheapest(double demand) const;

    /// O(sizes * steps * (hold + log)). Errors: kInvalidArgument for no step, more than limits::kForecastHorizonMax of
    /// them, a demand that is negative or no number, or a standing deployment of no known size.
    [[nodiscard]] Result<ScalingPlan> plan(const PlanQuestion& question) const;

    /// A deployment of this size with its capacity after the loss of hosts, and its cost.
    [[nodiscard]] Deployment deployment(std::size_t size, unsigned instances, unsigned hosts) const noexcept;

 private:
    class Walk;
    /// By rising cost and capacity; not empty.
    using Ladder = std::vector<Deployment>;

    [[nodiscard]] Ladder ladder(std::size_t size, unsigned hosts_max) const;
    [[nodiscard]] std::optional<unsigned> hosts_for(double demand, std::size_t size) const;
    [[nodiscard]] std::string name(const Deployment& deployment) const;
    [[nodiscard]] std::string explain(const ScalingPlan& plan, const PlanQuestion& question) const;

    PlanOptions options_;
    std::vector<Ladder> ladders_;  ///< one a size; empty when none of it fits
};

}  // namespace penumbra::analysis::capacity
