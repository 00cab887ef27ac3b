#include "agent/core/command_ledger.hpp"

#include <algorithm>
#include <utility>

#include "base/limits/agent.hpp"

namespace penumbra::agent {

CommandLedger::CommandLedger(const JournalImage& image, ResourceId whole_host)
    : whole_host_(std::move(whole_host)),
      fences_(image.fences),
      floor_(image.fence_floor),
      fence_max_(image.fence_floor) {
    for (const auto& [resource, fence] : fences_)
        fence_max_ = std::max(fence_max_, fence);
    for (const JournalImage::Entry& stored : image.commands) {
        entries_[stored.command.id] = {.command = stored.command,
                                       .phase = stored.report.has_value() ? Phase::kFinal : Phase::kRunning,
                                       .report = stored.report.value_or(model::CommandReport{
                                           .command = stored.command.id, .state = model::CommandState::kAccepted}),
                                       .on_disk = true};
    }
}

CommandLedger::Entry* CommandLedger::find(const CommandId& id) {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
}

bool CommandLedger::full() const noexcept {
    return entries_.size() >= limits::kCommandsRememberedPerAgentMax;
}

std::size_t CommandLedger::in_flight() const {
    const auto open = [](const auto& item) { return item.second.phase != Phase::kFinal; };
    return static_cast<std::size_t>(std::ranges::count_if(entries_, open));
}

bool CommandLedger::busy(const ResourceId& resource) const {
    return std::ranges::any_of(entries_, [&](const auto& item) {
        return item.second.command.resource == resource && item.second.phase != Phase::kFinal;
    });
}

bool CommandLedger::admits(const ResourceId& resource, Fence fence) const {
#ifdef PENUMBRA_MUTATE_FENCE
    static_cast<void>(resource);
    static_cast<void>(fence);
    return true;
#else
    const auto seen = fences_.find(resource);
    return fence > (seen == fences_.end() ? floor_ : seen->second);
#endif
}

bool CommandLedger::cleaned_since(Fence fence) const {
    const auto cleaned = fences_.find(whole_host_);
    return cleaned != fences_.end() && fence < cleaned->second;
}

void CommandLedger::raise(const ResourceId& resource, Fence fence) {
    Fence& seen = fences_[resource];
    seen = std::max(seen, fence);
    fence_max_ = std::max(fence_max_, fence);
}

CommandLedger::Entry& CommandLedger::accept(const model::Command& command, Instant now) {
    raise(command.resource, command.fence);
    return entries_[command.id] = {.command = command,
                                   .report = {.command = command.id, .state = model::CommandState::kAccepted},
                                   .received = now,
                                   .on_disk = true};
}

CommandLedger::Entry& CommandLedger::refuse(const model::Command& command, model::CommandReport report, Instant now) {
    // Raised in memory only: it guards against duplicates of this session, and a session ends with the process.
    if (admits(command.resource, command.fence)) raise(command.resource, command.fence);
    return entries_[command.id] = {
               .command = command, .phase = Phase::kFinal, .report = std::move(report), .received = now};
}

std::optional<FenceForgotten> CommandLedger::make_room() {
    if (fences_.size() <= limits::kFencesPerAgentMax) return std::nullopt;
    const auto oldest = std::ranges::min_element(fences_, {}, [](const auto& item) { return item.second; });
    const FenceForgotten record{.resource = oldest->first, .floor = std::max(floor_, oldest->second)};
    fences_.erase(oldest);
    floor_ = record.floor;
    return record;
}

}  // namespace penumbra::agent
