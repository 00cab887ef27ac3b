#include "agent/watch_flow.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/limits/network.hpp"

namespace penumbra::agent {

void WatchFlow::add(const std::string& owner, netisolate::GuardedPlan plan) {
    const bool mirror = std::holds_alternative<netisolate::MirrorPlan>(plan);
    watches_.try_emplace(
        owner, Watched{.watch = {std::move(plan), parts_.control, parts_.links, parts_.clock}, .mirror = mirror});
}

Result<void> WatchFlow::guard(const netisolate::IsolationPlan& plan) {
    add(plan.owner, plan);
    return {};
}

Result<void> WatchFlow::guard(const netisolate::MirrorSpec& mirror) {
    add(mirror.owner, TRY(netisolate::plan_mirror_here(mirror, parts_.control)));
    return {};
}

Result<void> WatchFlow::release(const std::string& owner) {
    watches_.erase(owner);
    return {};
}

void WatchFlow::round() {
    const bool mirrors_too = parts_.clock.now() >= mirrors_at_;
    if (mirrors_too) mirrors_at_ = parts_.clock.now() + limits::kMirrorAuditInterval;
    // One look for all: it asks production's switch.
    std::optional<Result<netisolate::Sighting>> seen;
    for (auto& [owner, watched] : watches_) {
        if (watched.mirror && !mirrors_too) continue;
        if (!seen.has_value()) seen = netisolate::sight(parts_.control, parts_.links);
        judge(owner, watched, *seen);
    }
    std::vector<std::string> troubles;
    for (const auto& [owner, watched] : watches_)
        if (!watched.trouble.empty()) troubles.push_back(watched.trouble);
    if (troubles == troubles_) return;
    troubles_ = troubles;
    parts_.tell(Troubles{.flow = "isolation", .sentences = std::move(troubles)});
}

void WatchFlow::judge(const std::string& owner, Watched& watched, const Result<netisolate::Sighting>& seen) {
    const Result<netisolate::WatchRound> judged = watched.watch.round(seen);
    watched.trouble =
        judged.has_value() ? "" : fmt::format("{} could not be looked at: {}", owner, judged.error().describe());
    if (!watched.watch.severed() || watched.told) return;
    const Severed& tell = watched.mirror ? parts_.mirror_severed : parts_.severed;
    watched.told = tell(owner, watched.watch.reason());
}

}  // namespace penumbra::agent
