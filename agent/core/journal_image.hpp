#pragma once

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "proto/model/command.hpp"

/// The agent's journal of commands: one fsynced record each, in order. What it says of a command outlives the agent.
namespace penumbra::agent {

struct EpochSeen {
    Epoch epoch{};
    friend bool operator==(const EpochSeen&, const EpochSeen&) = default;
};
struct CommandAccepted {  ///< raises its resource's fence as well
    model::Command command;
    friend bool operator==(const CommandAccepted&, const CommandAccepted&) = default;
};
struct CommandFinished {
    model::CommandReport report;
    friend bool operator==(const CommandFinished&, const CommandFinished&) = default;
};
struct CommandForgotten {  ///< its result is committed at the coordinator; the fence stays
    CommandId command;
    friend bool operator==(const CommandForgotten&, const CommandForgotten&) = default;
};
struct FenceForgotten {  ///< the resource with the oldest fence makes room; nothing at or under it is taken any more
    ResourceId resource;
    Fence floor{};
    friend bool operator==(const FenceForgotten&, const FenceForgotten&) = default;
};
using JournalRecord = std::variant<EpochSeen, CommandAccepted, CommandFinished, CommandForgotten, FenceForgotten>;

/// What the journal holds when an agent starts.
struct JournalImage {
    struct Entry {
        model::Command command;
        std::optional<model::CommandReport> report;  ///< nothing: it was running
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    Epoch epoch{};
    Fence fence_floor{};
    std::map<ResourceId, Fence> fences;
    std::vector<Entry> commands;
    friend bool operator==(const JournalImage&, const JournalImage&) = default;
};
/// The image after one more record: what a journal adapter folds its file with.
void fold(JournalImage& image, const JournalRecord& record);

}  // namespace penumbra::agent
