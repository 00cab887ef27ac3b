#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/core/records.hpp"

namespace penumbra::coordinator {

/// The coordinator's store as plain maps: what is committed, and nothing else. Copyable, as a disk is.
class CoreStore {
 public:
    /// One transaction. Returns the rule it breaks, if it does: a window twice or with a gap, a counter going back.
    [[nodiscard]] std::optional<std::string> commit(const Batch& batch);
    /// Raises the epoch, as a coordinator does before it listens, and reads everything back.
    [[nodiscard]] Image start();

    [[nodiscard]] const CommandRecord* command(const CommandId& id) const;
    [[nodiscard]] bool has_request(const std::string& id) const { return requests_.contains(id); }
    [[nodiscard]] std::uint64_t last_window(const model::Vantage& vantage) const;
    [[nodiscard]] bool has_window(const model::Vantage& vantage, std::uint64_t sequence) const;
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] const std::map<CommandId, CommandRecord>& commands() const noexcept { return commands_; }

 private:
    struct Put;
    std::optional<std::string> put(const KpiRecord& record);

    Epoch epoch_{};
    Counters counters_;
    std::map<HostId, HostRecord> hosts_;
    std::map<CommandId, CommandRecord> commands_;
    std::map<GroupId, GroupRecord> groups_;
    std::map<ShadowId, ShadowRecord> shadows_;
    std::map<TrialId, TrialRecord> trials_;
    std::map<RolloutId, RolloutRecord> rollouts_;
    std::map<std::string, RequestRecord> requests_;
    std::map<model::Vantage, std::map<std::uint64_t, KpiRecord>> windows_;
};

}  // namespace penumbra::coordinator
