#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "agent/core/events.hpp"
#include "base/clock.hpp"

namespace penumbra::agent {

/// Which commands this host has taken, and the fence of each resource. A command is delivered at least once and done at
/// most once: it is on disk before it is accepted, a duplicate gets the stored report, and a fence never goes back,
/// also when the command itself is forgotten. Pure; at most kCommandsRememberedPerAgentMax commands and
/// kFencesPerAgentMax fences.
class CommandLedger {
 public:
    enum class Phase : unsigned char { kJournalling, kRunning, kFinishing, kFinal };
    struct Entry {
        model::Command command;
        Phase phase = Phase::kJournalling;
        model::CommandReport report;
        Instant received{};
        Instant reported{};         ///< when its report was last sent
        std::uint64_t journal = 0;  ///< the number the phase waits for
        bool on_disk = false;       ///< false: a refusal, of this process's memory only
    };

    /// `whole_host`: the resource that orders to clean this host are about.
    CommandLedger(const JournalImage& image, ResourceId whole_host);

    [[nodiscard]] Entry* find(const CommandId& id);
    [[nodiscard]] const std::map<CommandId, Entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] bool full() const noexcept;
    [[nodiscard]] std::size_t in_flight() const;
    [[nodiscard]] bool busy(const ResourceId& resource) const;
    /// False: something newer was done to this resource, or the resource was forgotten since.
    [[nodiscard]] bool admits(const ResourceId& resource, Fence fence) const;
    /// The host was ordered to be cleaned after something of this fence was ordered.
    [[nodiscard]] bool cleaned_since(Fence fence) const;
    [[nodiscard]] bool cleaning() const { return busy(whole_host_); }
    [[nodiscard]] Fence fence_max_seen() const noexcept { return fence_max_; }

    Entry& accept(const model::Command& command, Instant now);
    /// Remembers a refusal until it is acknowledged, so that a late duplicate is not taken after all.
    Entry& refuse(const model::Command& command, model::CommandReport report, Instant now);
    void forget(const CommandId& id) { entries_.erase(id); }
    /// The oldest fence, when there are too many: to be journalled by the caller.
    [[nodiscard]] std::optional<FenceForgotten> make_room();

 private:
    void raise(const ResourceId& resource, Fence fence);

    ResourceId whole_host_;
    std::map<CommandId, Entry> entries_;
    std::map<ResourceId, Fence> fences_;
    Fence floor_{};
    Fence fence_max_{};
};

}  // namespace penumbra::agent
