#pragma once

#include <string>

#include "agent/core/journal_image.hpp"
#include "base/result.hpp"
#include "journal/directory.hpp"

namespace penumbra::agent {

/// The core's journal on disk: a file `ID.command` for each command that is remembered, and `fences` with the epoch and
/// every resource's fence. Each file is whole after any crash, and they are written in an order that never loses a
/// fence: a command's file carries its own until `fences` has it. Thread-bound; whoever writes holds the host's lock.
class CommandStore {
 public:
    explicit CommandStore(journal::Directory& directory) : directory_(directory) {}

    /// Once, before the first record. kDataLoss names the file that is damaged: what this host did is then not known,
    /// and nothing may be accepted until a person has looked. kUnsupported: a later version wrote it.
    [[nodiscard]] Result<JournalImage> load();
    /// Durable when it returns. After an error the record may be on disk or not: the process has to end.
    [[nodiscard]] Result<void> record(const JournalRecord& record);

 private:
    [[nodiscard]] Result<void> load_fences(const std::string& name);
    [[nodiscard]] Result<void> load_command(const std::string& name);
    [[nodiscard]] Result<void> put_fences();
    [[nodiscard]] Result<void> put_command(const CommandId& id);

    journal::Directory& directory_;
    JournalImage image_;
};

}  // namespace penumbra::agent
