#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "journal/directory.hpp"
#include "journal/entry.hpp"

namespace penumbra::journal {

/// A file that should be an entry and is not: kept under `name`, to be looked at by a person and removed by hand.
struct Damaged {
    std::string name;
    std::string reason;
    friend bool operator==(const Damaged&, const Damaged&) = default;
};

struct Contents {
    std::vector<Entry> entries;    ///< by id
    std::vector<Damaged> damaged;  ///< an effect may stand that nobody knows: nothing new is applied meanwhile
};

/// The effects of one host, one file `ID.effect` each: the old entry or the new one after any crash, never a mix.
/// Whoever writes holds the folder's lock (lock.hpp); effects() and get() need none. Thread-bound; kJournalEntriesMax
/// entries.
class Journal {
 public:
    explicit Journal(Directory& directory) : directory_(directory) {}

    /// Durable when it returns. After an error the entry is as before, or as wanted: read it again.
    [[nodiscard]] Result<void> put(const Entry& entry);
    /// kNotFound; kDataLoss for a damaged one, which stays where it is.
    [[nodiscard]] Result<Entry> get(const EffectId& id) const;
    /// Every effect there is an entry of, a damaged one's too, unchecked; by id.
    [[nodiscard]] Result<std::vector<EffectId>> effects() const;
    /// All entries; a damaged one is renamed to `ID.damaged` and listed at every reading until a person removes it.
    [[nodiscard]] Result<Contents> read_all();
    /// Removes a settled entry. One that is not there is a success.
    [[nodiscard]] Result<void> forget(const EffectId& id);

 private:
    [[nodiscard]] Result<void> read_into(Contents& contents, const std::string& name);

    Directory& directory_;
};

}  // namespace penumbra::journal
