#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "effects/admission.hpp"
#include "effects/catalogue.hpp"
#include "effects/dead_man.hpp"
#include "journal/journal.hpp"
#include "proto/model/effect.hpp"

namespace penumbra::effects {

struct Order {
    model::EffectSpec spec;
    Epoch epoch{};
    CommandId command;
};

/// Everything that touches production goes through here (design D6): intent with the state before fsynced, dead-man
/// armed, volatile layer, read back, lease; then confirmed into the persistent layer, or undone. The order of those
/// steps is the crash safety: whatever step we die in, the journal and PID 1 know enough to undo it.
/// Leases count on the boot clock only. Holds the journal's lock through its owner. Blocks; thread-bound.
class Engine {
 public:
    struct Parts {  ///< borrowed, all outlive the engine
        journal::Journal& journal;
        DeadMan& dead_man;
        const Clock& clock;
        const Catalogue& catalogue;
        std::string boot_id;
    };
    explicit Engine(Parts parts) : parts_(std::move(parts)) {}

    /// Once, at the agent's start, before any order is taken: what an earlier life left unconfirmed is undone now.
    /// Errors are of effects that could not be undone yet; expire() tries them again.
    [[nodiscard]] Result<std::vector<Error>> recover();

    /// Does it and reads it back. The same order again gives its status and does nothing. After an error nothing
    /// stands, or the error says what could not be undone yet.
    [[nodiscard]] Result<model::EffectStatus> apply(const Order& order, const Premises& premises);
    /// Writes the persistent layer and ends the lease. kDeadlineExceeded once the lease has run out.
    [[nodiscard]] Result<model::EffectStatus> confirm(const EffectId& id);
    /// Undoes it, a confirmed one too. One that is settled otherwise gives its status and does nothing.
    [[nodiscard]] Result<model::EffectStatus> revert(const EffectId& id, const std::string& why);
    /// A new lease from now on; the old dead-man stays until the new one is armed and written down.
    [[nodiscard]] Result<model::EffectStatus> extend(const EffectId& id, std::chrono::seconds lease);
    /// Undoes what has outlived its lease. Call once a second; does nothing when nothing is due.
    [[nodiscard]] std::vector<Error> expire();

    [[nodiscard]] std::vector<model::EffectStatus> statuses() const;
    /// Files set aside as damaged: while there is one, nothing is applied.
    [[nodiscard]] const std::vector<journal::Damaged>& damaged() const noexcept { return damaged_; }
    /// Counters that show that it bites.
    [[nodiscard]] Result<Values> evidence(const EffectId& id);
    /// Drops a settled entry once its outcome is known elsewhere. A standing one is kConflict.
    [[nodiscard]] Result<void> forget(const EffectId& id);

 private:
    [[nodiscard]] Result<journal::Entry> find(const EffectId& id) const;
    [[nodiscard]] Result<void> check_room(const model::EffectSpec& spec, const Site& site) const;
    [[nodiscard]] Result<void> keep(const journal::Entry& entry);
    [[nodiscard]] Result<journal::Entry> intend(const Order& order, const Site& site, Effect& effect);
    [[nodiscard]] Result<void> stand_up(Effect& effect, journal::Entry entry);
    [[nodiscard]] Result<void> make_stay(Effect& effect, journal::Entry entry);
    [[nodiscard]] Result<void> settle(journal::Entry entry, const std::string& why);
    [[nodiscard]] bool lease_is_over(const journal::Entry& entry) const;

    Parts parts_;
    std::map<EffectId, journal::Entry> entries_;  ///< as the journal has them: this is its one writer
    std::vector<journal::Damaged> damaged_;
};

/// What is told of an entry.
[[nodiscard]] model::EffectStatus status_of(const journal::Entry& entry);

}  // namespace penumbra::effects
