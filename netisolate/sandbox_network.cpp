#include "netisolate/sandbox_network.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/limits/network.hpp"
#include "netisolate/network_delta.hpp"

namespace penumbra::netisolate {

namespace {

/// Carries steps out in order; on a failure undoes the done ones, last first, and keeps what failed at that too.
Result<void> carry_out_all(const std::vector<NetworkStep>& steps, SwitchControl& control, LinkControl& links) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        Result<void> done = carry_out(steps[i], control, links);
        if (done.has_value()) continue;
        Result<void> failure = fail_in(describe(steps[i]), std::move(done).error());
        for (std::size_t undone = i; undone-- > 0;) {
            const auto undo = inverse(steps[undone]);
            if (undo.has_value()) follow_by(failure, carry_out(*undo, control, links));
        }
        return failure;
    }
    return {};
}

Result<void> converge(const NetworkState& desired, const std::string& owner, SwitchControl& control,
                      LinkControl& links) {
    const auto observed = TRY(observe(control, links, owner));
    return carry_out_all(TRY(network_delta(observed, desired, owner)), control, links);
}

std::vector<Finding> audit(const IsolationPlan& plan, const NetworkState& state,
                           std::span<const DatapathFlow> datapath) {
    return audit_sandbox(plan, state, datapath);
}

std::vector<Finding> audit(const MirrorPlan& plan, const NetworkState& state, std::span<const DatapathFlow> datapath) {
    return audit_mirror(plan, state, datapath);
}

template <class Plan>
Result<void> build(const Plan& plan, SwitchControl& control, LinkControl& links) {
    TRY(converge(plan.desired, plan.owner, control, links));
    TRY(control.settle());
    const auto state = TRY(observe(control, links, plan.owner));
    const auto datapath = TRY(control.datapath_flows());
    const std::vector<Finding> findings = audit(plan, state, datapath);
    if (findings.empty()) return {};
    Result<void> failure = fail(ErrorCode::kInternal, fmt::format("{} is not isolated and was taken away again: {}",
                                                                  plan.owner, findings.front().sentence));
    follow_by(failure, tear_down(plan.owner, control, links));
    return failure;
}

Result<void> add_flows(NetworkState& state, SwitchControl& control, std::string_view owner) {
    for (Bridge& bridge : state.bridges) {
        if (bridge.owner == owner) bridge.flows = TRY(control.flows(bridge.name));
    }
    return {};
}

std::vector<std::string> host_ends(const NetworkState& desired) {
    std::vector<std::string> names;
    for (const Link& link : desired.links) {
        if (link.space.empty() && link.kind != LinkKind::kBridge) names.push_back(link.name);
    }
    return names;
}

}  // namespace

Result<NetworkState> observe(SwitchControl& control, LinkControl& links, std::string_view owner) {
    NetworkState state = TRY(links.observe());
    state.bridges = TRY(control.bridges());
    TRY(add_flows(state, control, owner));
    return state;
}

Result<Sighting> sight(SwitchControl& control, LinkControl& links) {
    Sighting seen{.state = TRY(links.observe())};
    seen.state.bridges = TRY(control.bridges());
    seen.datapath = TRY(control.datapath_flows());
    return seen;
}

Result<MirrorPlan> plan_mirror_here(MirrorSpec spec, SwitchControl& control) {
    const std::vector<Bridge> bridges = TRY(control.bridges());
    const auto bridge = std::ranges::find(bridges, spec.bridge, &Bridge::name);
    if (bridge == bridges.end())
        return fail(ErrorCode::kNotFound, fmt::format("no bridge {} on this host", spec.bridge));
    if (!bridge->owner.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("bridge {} is a sandbox's: only production is mirrored", spec.bridge));
    }
    for (const std::string& port : spec.mirrored) {
        if (find_port(*bridge, port) == nullptr)
            return fail(ErrorCode::kNotFound, fmt::format("bridge {} has no port {}", spec.bridge, port));
    }
    spec.datapath = bridge->settings.datapath;
    return plan_mirror(spec);
}

Result<void> build_sandbox(const IsolationPlan& plan, SwitchControl& control, LinkControl& links) {
    return build(plan, control, links);
}

Result<void> build_mirror(const MirrorPlan& plan, SwitchControl& control, LinkControl& links) {
    return build(plan, control, links);
}

Result<void> tear_down(std::string_view owner, SwitchControl& control, LinkControl& links) {
    const auto observed = TRY(observe(control, links, owner));
    Result<void> outcome;
    // every step is tried: a half-removed sandbox is worse than two errors
    for (const NetworkStep& step : TRY(network_delta(observed, {}, owner))) {
        const Result<void> done = carry_out(step, control, links);
        if (done.has_value()) continue;
        if (outcome.has_value()) {
            outcome = fail_in(describe(step), done.error());
        } else {
            follow_by(outcome, done);
        }
    }
    return outcome;
}

IsolationWatch::IsolationWatch(GuardedPlan plan, SwitchControl& control, LinkControl& links, const Clock& clock)
    : plan_(std::move(plan)), control_(control), links_(links), clock_(clock), seen_(clock.now()) {}

Result<WatchRound> IsolationWatch::look(const Result<Sighting>& seen) {
    if (!seen.has_value()) return tl::unexpected(seen.error());
    return std::visit(
        [&](const auto& plan) -> Result<WatchRound> {
            NetworkState state = seen->state;
            TRY(add_flows(state, control_, plan.owner));
            WatchRound round{.findings = audit(plan, state, seen->datapath)};
            if (!round.findings.empty() || severed()) return round;
            for (const NetworkStep& step : TRY(network_delta(state, plan.desired, plan.owner))) {
                if (!std::holds_alternative<ReplaceFlows>(step)) continue;
                TRY(carry_out(step, control_, links_));
                round.repaired = true;
            }
            return round;
        },
        plan_);
}

Result<void> IsolationWatch::sever(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    if (taps_down_) return {};
    TRY(links_.sever(std::visit([](const auto& plan) { return host_ends(plan.desired); }, plan_)));
    taps_down_ = true;
    return {};
}

Result<WatchRound> IsolationWatch::round(const Result<Sighting>& seen) {
    auto looked = look(seen);
    if (!looked.has_value()) {
        if (clock_.now() - seen_ < limits::kIsolationBlindMax) return looked;
        follow_by(looked, sever(fmt::format("isolation could not be looked at for {} s: {}",
                                            limits::kIsolationBlindMax.count(), looked.error().message)));
        return looked;
    }
    seen_ = clock_.now();
    if (!looked->findings.empty()) TRY(sever(looked->findings.front().sentence));
    if (severed() && !taps_down_) TRY(sever(reason_));
    return looked;
}

}  // namespace penumbra::netisolate
