#include "agent/watch_flow.hpp"

#include <utility>

#include <fmt/format.h>

namespace penumbra::agent {

Result<void> WatchFlow::guard(const netisolate::IsolationPlan& plan) {
    if (watches_.contains(plan.owner)) return {};
    watches_[plan.owner].watch =
        std::make_unique<netisolate::IsolationWatch>(plan, parts_.control, parts_.links, parts_.clock);
    return {};
}

Result<void> WatchFlow::release(const std::string& owner) {
    watches_.erase(owner);
    return {};
}

void WatchFlow::round() {
    std::vector<std::string> troubles;
    for (auto& [owner, watched] : watches_) {
        netisolate::IsolationWatch* const watch = watched.watch.get();
        const Result<netisolate::WatchRound> seen = watch->round();
        if (!seen.has_value())
            troubles.push_back(fmt::format("sandbox {} could not be looked at: {}", owner, seen.error().describe()));
        if (watch->severed() && !watched.told) watched.told = parts_.severed(owner, watch->reason());
    }
    if (troubles == troubles_) return;
    troubles_ = troubles;
    parts_.tell(Troubles{.flow = "isolation", .sentences = std::move(troubles)});
}

}  // namespace penumbra::agent
