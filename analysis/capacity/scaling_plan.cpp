#include "analysis/capacity/scaling_plan.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "analysis/capacity/scaling_law.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

using Duration = std::chrono::milliseconds;
constexpr double kGibibyte = 1024.0 * 1024 * 1024;

bool is_amount(double value) noexcept {
    return std::isfinite(value) && value >= 0;
}

/// Instances of one size that a host can hold.
unsigned room(const HostPool& hosts, const InstanceSize& size) noexcept {
    const std::uint64_t by_vcpus = hosts.vcpus / size.vcpus;
    const std::uint64_t by_memory = size.memory_bytes == 0 ? by_vcpus : hosts.memory_bytes / size.memory_bytes;
    return static_cast<unsigned>(std::min<std::uint64_t>(by_vcpus, by_memory));
}

Result<void> check(const PlanOptions& options) {
    const auto& policy = options.policy;
    const auto& prices = options.prices;
    const bool priced = is_amount(prices.vcpu) && is_amount(prices.gibibyte) && is_amount(prices.instance) &&
                        is_amount(prices.host) && prices.vcpu + prices.gibibyte + prices.instance + prices.host > 0;
    const bool timed = policy.lead_time >= Duration(0) && policy.grow_ahead >= Duration(0) &&
                       policy.cooldown >= Duration(0) && policy.scale_in_hold >= Duration(0);
    const bool shared = policy.scale_in_margin >= 0 && policy.scale_in_margin < 1 && policy.resize_saving >= 0 &&
                        policy.resize_saving < 1;
    if (!priced || !timed || !shared || policy.instances_min == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "a scaling policy needs times and prices that are not negative, at least one price and one "
                    "instance, and shares from 0 to below 1");
    }
    if (options.sizes.empty() || options.sizes.size() > limits::kPlanSizesMax || options.hosts.vcpus == 0 ||
        options.hosts.count == 0 || options.hosts.count > limits::kPlanHostsMax) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a scaling plan needs 1 to {} sizes and 1 to {} hosts with vCPUs",
                                limits::kPlanSizesMax, limits::kPlanHostsMax));
    }
    for (std::size_t i = 0; i < options.sizes.size(); ++i) {
        const auto& size = options.sizes[i];
        if (size.vcpus == 0 || !is_amount(size.per_second) || size.per_second <= 0 || !is_amount(size.sigma) ||
            !is_amount(size.kappa)) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("size {} of the scaling plan has no vCPU or no measured capacity above 0", i));
        }
    }
    return {};
}

/// Cheaper first; of the same cost, what is left in fewer pieces.
bool is_cheaper(const Deployment& a, const Deployment& b) noexcept {
    if (a.cost != b.cost) return a.cost < b.cost;
    if (a.per_second != b.per_second) return a.per_second > b.per_second;
    if (a.hosts != b.hosts) return a.hosts < b.hosts;
    return a.instances < b.instances;
}

/// The first rung that holds it; nullptr when none does.
const Deployment* rung(const std::vector<Deployment>& ladder, double demand) noexcept {
    const auto found = std::ranges::lower_bound(ladder, demand, {}, &Deployment::per_second);
    return found == ladder.end() ? nullptr : &*found;
}

std::size_t steps_of(Duration span, Duration step) noexcept {
    return static_cast<std::size_t>((span + step - Duration(1)) / step);
}

std::string in_words(std::size_t steps, Duration step) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(step * static_cast<std::int64_t>(steps));
    return minutes.count() == 0 ? std::string("now") : fmt::format("in {} min", minutes.count());
}

}  // namespace

/// One walk through a forecast with one size: the state of what runs, step after step.
class ScalingPlanner::Walk {
 public:
    Walk(const ScalingPlanner& planner, const PlanQuestion& question, std::size_t size)
        : planner_(planner),
          question_(question),
          policy_(planner.options_.policy),
          ladder_(planner.ladders_[size]),
          lead_(steps_of(policy_.lead_time, question.step)),
          ahead_(std::max<std::size_t>(1, steps_of(policy_.grow_ahead, question.step))),
          // what cannot come back within the lead time must not go before it
          hold_(std::max({std::size_t{1}, lead_, steps_of(policy_.scale_in_hold, question.step)})) {
        if (question.standing) running_ = again(*question.standing);
        for (const auto& growth : question.under_way) {
            growing_.push_back({.target = again(growth.target),
                                .ready = steps_of(std::max(Duration(0), growth.ready_in), question.step)});
        }
        std::ranges::stable_sort(growing_, {}, &Growing::ready);
        if (question.since_change) {
            const auto left = policy_.cooldown - *question.since_change;
            calm_from_ = left > Duration(0) ? steps_of(left, question.step) : 0;
        }
        const std::size_t present = growing_.empty() ? running_.size : growing_.back().target.size;
        resizes_ = running_.instances > 0 && present != size;
    }

    ScalingPlan run() {
        for (std::size_t k = 0; k < question_.demand.size(); ++k) {
            while (!growing_.empty() && k >= growing_.front().ready) {
                running_ = growing_.front().target;
                growing_.erase(growing_.begin());
                calm_from_ = std::max(calm_from_, k + cooldown());
            }
            const double need = at(k);
            if ((begun() < need && begun() < ladder_.back().per_second) || (k == 0 && resizes_)) {
                grow(k);
            } else if (growing_.empty()) {
                consider_shrinking(k);
            }
            plan_.steps.push_back(running_);
            plan_.short_steps += running_.per_second < need ? 1 : 0;
            plan_.cost += running_.cost * std::chrono::duration<double, std::ratio<3600>>(question_.step).count();
        }
        if (plan_.decisions.empty() || plan_.decisions.front().begin > 0) {
            plan_.decisions.insert(plan_.decisions.begin(),
                                   {.target = question_.standing.value_or(Deployment{}), .reason = std::move(kept_)});
        }
        return std::move(plan_);
    }

 private:
    [[nodiscard]] std::size_t cooldown() const noexcept { return steps_of(policy_.cooldown, question_.step); }

    [[nodiscard]] double at(std::size_t k) const noexcept {
        return k == 0 ? std::max(question_.demand[0], question_.observed) : question_.demand[k];
    }

    [[nodiscard]] double peak(std::size_t from, std::size_t to) const noexcept {
        double result = at(from);
        for (std::size_t k = from; k < std::min(to, question_.demand.size()); ++k)
            result = std::max(result, at(k));
        return result;
    }

    /// What will be held by all that was begun.
    [[nodiscard]] double begun() const noexcept {
        return growing_.empty() ? running_.per_second : growing_.back().target.per_second;
    }

    [[nodiscard]] Deployment again(const Deployment& given) const noexcept {
        return planner_.deployment(given.size, given.instances, given.hosts);
    }

    void grow(std::size_t k) {
        const std::size_t begin = k > lead_ ? k - lead_ : 0;
        const std::size_t ready = begin + lead_;
        const double need = peak(k, std::max(k, ready) + ahead_);
        const Deployment* const found = rung(ladder_, need);
        const Deployment& target = found != nullptr ? *found : ladder_.back();
        std::string reason = fmt::format(
            "a load of {:.4g}/s ({:g} % quantile, {}) is above the {:.4g}/s that {} with {} lost", need,
            100 * question_.quantile, in_words(k, question_.step), running_.per_second,
            running_.instances == 0 ? std::string("nothing holds") : planner_.name(running_) + " hold",
            policy_.hosts_may_fail == 1 ? std::string("a host") : fmt::format("{} hosts", policy_.hosts_may_fail));
        if (k == 0 && resizes_) reason = fmt::format("{} cost less than the size that stands", planner_.name(target));
        if (found == nullptr)
            reason += fmt::format("; the most that fits, {:.4g}/s, does not hold it", target.per_second);
        const bool late = ready > k && running_.per_second < at(k);
        if (late) reason += fmt::format("; it serves {} min too late", minutes(ready - k));
        plan_.decisions.push_back({.action = PlanAction::kGrow,
                                   .begin = begin,
                                   .ready = ready,
                                   .target = target,
                                   .late = late,
                                   .reason = std::move(reason)});
        resizes_ = false;
        calm_from_ = std::max(calm_from_, std::max(k, ready) + cooldown());
        if (ready <= k) {
            running_ = target;
        } else {
            growing_.push_back({.target = target, .ready = ready});
        }
    }

    void consider_shrinking(std::size_t k) {
        if (k + hold_ > question_.demand.size()) return keep(k, "the forecast ends before it could be said");
        const double low = std::max(peak(k, k + hold_), question_.observed * (k == 0 ? 1 : 0));
        const Deployment* const found = rung(ladder_, low / (1 - policy_.scale_in_margin));
        if (found == nullptr || found->cost >= running_.cost || found->per_second >= running_.per_second) {
            return keep(k, fmt::format("nothing cheaper holds {:.4g}/s, the most of the next {} min, with a margin of "
                                       "{:g} %",
                                       low, hold_minutes(), 100 * policy_.scale_in_margin));
        }
        if (k < calm_from_) {
            return keep(k, fmt::format("{} would do, but the last change is too young: {} min of calm are left",
                                       planner_.name(*found), minutes(calm_from_ - k)));
        }
        plan_.decisions.push_back(
            {.action = PlanAction::kShrink,
             .begin = k,
             .ready = k,
             .target = *found,
             .reason = fmt::format("the load stays below {:.4g}/s for {} min, {} hold {:.4g}/s with {} lost", low,
                                   hold_minutes(), planner_.name(*found), found->per_second,
                                   policy_.hosts_may_fail == 1 ? std::string("a host")
                                                               : fmt::format("{} hosts", policy_.hosts_may_fail))});
        running_ = *found;
        calm_from_ = k + cooldown();
    }

    void keep(std::size_t k, std::string why) {
        if (k == 0) kept_ = std::move(why);
    }

    [[nodiscard]] std::int64_t minutes(std::size_t steps) const noexcept {
        return std::chrono::ceil<std::chrono::minutes>(question_.step * static_cast<std::int64_t>(steps)).count();
    }
    [[nodiscard]] std::int64_t hold_minutes() const noexcept { return minutes(hold_); }

    const ScalingPlanner& planner_;
    const PlanQuestion& question_;
    const PlanPolicy& policy_;
    const Ladder& ladder_;
    std::size_t lead_;
    std::size_t ahead_;
    std::size_t hold_;
    struct Growing {
        Deployment target;
        std::size_t ready = 0;
    };
    Deployment running_;
    std::vector<Growing> growing_;  ///< by the step from which it serves; each one larger than the last
    std::size_t calm_from_ = 0;
    bool resizes_ = false;
    std::string kept_ = "growth that was begun is still under way";
    ScalingPlan plan_;
};

std::string_view to_string(PlanAction action) noexcept {
    switch (action) {
        case PlanAction::kKeep:
            return "keep";
        case PlanAction::kGrow:
            return "grow";
        case PlanAction::kShrink:
            return "shrink";
    }
    return "?";
}

Result<ScalingPlanner> ScalingPlanner::make(PlanOptions options) {
    TRY(check(options));
    ScalingPlanner planner;
    planner.options_ = std::move(options);
    bool any = false;
    for (std::size_t i = 0; i < planner.options_.sizes.size(); ++i) {
        planner.ladders_.push_back(planner.ladder(i, planner.options_.hosts.count));
        any = any || !planner.ladders_.back().empty();
    }
    if (!any) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("no size fits on {} hosts so that {} may fail: add a host, or plan with fewer failures",
                                planner.options_.hosts.count, planner.options_.policy.hosts_may_fail));
    }
    return planner;
}

Deployment ScalingPlanner::deployment(std::size_t size, unsigned instances, unsigned hosts) const noexcept {
    const auto& shape = options_.sizes[size];
    const auto& prices = options_.prices;
    const unsigned failed = std::min(options_.policy.hosts_may_fail, hosts);
    const unsigned lost = hosts == 0 ? 0 : failed * (instances / hosts) + std::min(failed, instances % hosts);
    const unsigned left = instances - lost;
    const ScalingLaw law{.lambda = shape.per_second, .sigma = shape.sigma, .kappa = shape.kappa};
    const double each = shape.vcpus * prices.vcpu +
                        static_cast<double>(shape.memory_bytes) / kGibibyte * prices.gibibyte + prices.instance;
    return {.size = size,
            .instances = instances,
            .hosts = hosts,
            .per_second = left == 0 ? 0 : law.at(left),
            .cost = instances * each + hosts * prices.host};
}

ScalingPlanner::Ladder ScalingPlanner::ladder(std::size_t size, unsigned hosts_max) const {
    const unsigned each = room(options_.hosts, options_.sizes[size]);
    std::vector<Deployment> all;
    for (unsigned hosts = options_.policy.hosts_may_fail + 1; hosts <= hosts_max; ++hosts) {
        const auto most =
            static_cast<unsigned>(std::min<std::uint64_t>(std::uint64_t{each} * hosts, limits::kPlanInstancesMax));
        // fewer instances than hosts are the same on fewer hosts
        for (unsigned n = std::max(hosts, options_.policy.instances_min); n <= most; ++n)
            all.push_back(deployment(size, n, hosts));
    }
    std::ranges::sort(all, is_cheaper);
    Ladder rungs;
    for (const auto& candidate : all) {
        if (candidate.per_second > (rungs.empty() ? 0 : rungs.back().per_second)) rungs.push_back(candidate);
    }
    return rungs;
}

std::optional<unsigned> ScalingPlanner::hosts_for(double demand, std::size_t size) const {
    const unsigned each = room(options_.hosts, options_.sizes[size]);
    for (unsigned hosts = options_.hosts.count + 1; each > 0 && hosts <= limits::kPlanHostsMax; ++hosts) {
        const auto most =
            static_cast<unsigned>(std::min<std::uint64_t>(std::uint64_t{each} * hosts, limits::kPlanInstancesMax));
        if (deployment(size, most, hosts).per_second >= demand) return hosts;
    }
    return std::nullopt;
}

std::string ScalingPlanner::name(const Deployment& deployment) const {
    const auto& size = options_.sizes[deployment.size];
    return fmt::format("{} x {} vCPU, {:.3g} GiB on {} hosts", deployment.instances, size.vcpus,
                       static_cast<double>(size.memory_bytes) / kGibibyte, deployment.hosts);
}

Result<Deployment> ScalingPlanner::cheapest(double demand) const {
    if (!is_amount(demand)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a demand of {}/s cannot be planned for", demand));
    }
    const Deployment* best = nullptr;
    double most = 0;
    std::optional<unsigned> hosts;
    for (std::size_t i = 0; i < ladders_.size(); ++i) {
        if (ladders_[i].empty()) continue;
        const Deployment* const found = rung(ladders_[i], demand);
        if (found != nullptr &&
            (best == nullptr || found->cost < best->cost || (found->cost == best->cost && found->hosts < best->hosts)))
            best = found;
        most = std::max(most, ladders_[i].back().per_second);
    }
    if (best != nullptr) return *best;
    for (std::size_t i = 0; i < ladders_.size(); ++i) {
        const auto with = hosts_for(demand, i);
        if (with && (!hosts || *with < *hosts)) hosts = with;
    }
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{} hosts hold {:.4g}/s with {} lost, not {:.4g}/s: {}", options_.hosts.count, most,
                            options_.policy.hosts_may_fail, demand,
                            hosts ? fmt::format("{} hosts would", *hosts)
                                  : std::string("no number of such hosts would, measure a larger size")));
}

Result<ScalingPlan> ScalingPlanner::plan(const PlanQuestion& question) const {
    if (question.demand.empty() || question.demand.size() > limits::kForecastHorizonMax ||
        question.step <= Duration(0) || !std::ranges::all_of(question.demand, is_amount) ||
        !is_amount(question.observed)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a scaling plan needs 1 to {} steps with a load that is a number and not negative",
                                limits::kForecastHorizonMax));
    }
    std::vector<Deployment> given;
    if (question.standing) given.push_back(*question.standing);
    for (const auto& growth : question.under_way)
        given.push_back(growth.target);
    for (const auto& deployment : given) {
        if (deployment.size >= options_.sizes.size() || deployment.instances > limits::kPlanInstancesMax) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("what runs, {} instances of size {}, was never measured", deployment.instances,
                                    deployment.size));
        }
    }
    std::optional<ScalingPlan> best;
    std::optional<ScalingPlan> kept;
    for (std::size_t size = 0; size < ladders_.size(); ++size) {
        if (ladders_[size].empty()) continue;
        ScalingPlan found = Walk(*this, question, size).run();
        if (question.standing && question.standing->size == size) kept = found;
        if (!best || std::pair(found.short_steps, found.cost) < std::pair(best->short_steps, best->cost))
            best = std::move(found);
    }
    if (kept && kept->short_steps <= best->short_steps && best->cost > (1 - options_.policy.resize_saving) * kept->cost)
        best = std::move(kept);
    const double peak = std::ranges::max(question.demand);
    const std::size_t size = best->steps.back().size;
    if (peak > (ladders_[size].empty() ? 0 : ladders_[size].back().per_second))
        best->hosts_needed = hosts_for(peak, size);
    best->explanation = explain(*best, question);
    return *std::move(best);
}

std::string ScalingPlanner::explain(const ScalingPlan& plan, const PlanQuestion& question) const {
    const auto [least, most] = std::ranges::minmax_element(plan.steps, {}, &Deployment::cost);
    std::string text =
        fmt::format("{} at the least, {} at the most, {:.4g} in all for the {:g} % quantile with {} {} lost",
                    name(*least), name(*most), plan.cost, 100 * question.quantile, options_.policy.hosts_may_fail,
                    options_.policy.hosts_may_fail == 1 ? "host" : "hosts");
    if (plan.short_steps > 0) text += fmt::format("; {} of {} steps are not held", plan.short_steps, plan.steps.size());
    if (plan.hosts_needed) {
        text += fmt::format("; the peak of {:.4g}/s needs {} hosts, there are {}", std::ranges::max(question.demand),
                            *plan.hosts_needed, options_.hosts.count);
    }
    return text;
}

}  // namespace penumbra::analysis::capacity
