#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/news.hpp"

namespace penumbra::agent {

/// Hears what flows tell, for a test to look at. Thread-bound.
class NewsBox {
 public:
    [[nodiscard]] Tell tell() {
        return [this](News news) { hear(std::move(news)); };
    }
    /// The end of a command; nothing while it runs.
    [[nodiscard]] std::optional<model::CommandReport> end_of(const std::string& command) const {
        const auto found = ended_.find(CommandId(command));
        return found == ended_.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] const std::vector<model::ShadowStatus>& shadows() const { return shadows_; }
    [[nodiscard]] const std::vector<model::EffectStatus>& effects() const { return effects_; }
    [[nodiscard]] const model::HostFacts& facts() const { return facts_; }
    [[nodiscard]] const std::vector<model::KpiWindow>& windows() const { return windows_; }
    [[nodiscard]] std::vector<std::string> troubles(const std::string& flow) const {
        const auto found = troubles_.find(flow);
        return found == troubles_.end() ? std::vector<std::string>() : found->second;
    }

 private:
    void hear(News news) {
        if (auto* troubles = std::get_if<Troubles>(&news)) {
            troubles_[troubles->flow] = std::move(troubles->sentences);
            return;
        }
        auto& event = std::get<Event>(news);
        if (auto* reported = std::get_if<WorkerReported>(&event); reported && model::is_final(reported->report.state))
            ended_[reported->report.command] = reported->report;
        if (auto* shadows = std::get_if<ShadowsObserved>(&event)) shadows_ = shadows->shadows;
        if (auto* effects = std::get_if<EffectsObserved>(&event)) effects_ = effects->effects;
        if (auto* facts = std::get_if<FactsObserved>(&event)) facts_ = facts->facts;
        if (auto* measured = std::get_if<KpiMeasured>(&event)) windows_.push_back(measured->window);
    }

    std::map<CommandId, model::CommandReport> ended_;
    std::map<std::string, std::vector<std::string>> troubles_;
    std::vector<model::ShadowStatus> shadows_;
    std::vector<model::EffectStatus> effects_;
    std::vector<model::KpiWindow> windows_;
    model::HostFacts facts_;
};

}  // namespace penumbra::agent
