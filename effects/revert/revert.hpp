#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "effects/catalogue.hpp"
#include "journal/journal.hpp"
#include "journal/lock.hpp"

namespace penumbra::effects {

/// What there was for the dead-man to do.
enum class Need : unsigned char { kUndo, kSettled, kNotDue, kUnknown };

/// Pure: what an entry asks of a dead-man that fires now, in this boot.
[[nodiscard]] Need need_of(const journal::Entry& entry, const std::string& boot_id, Instant now);

/// What penumbra-revert works with; borrowed.
struct Reverter {
    journal::Journal& journal;
    const Catalogue& catalogue;
    const Clock& clock;
    std::string boot_id;
    /// Takes the journal's lock for as long as this process lives; gives what there is to say about an agent that held
    /// it ("agent pid 7 was stopped and was killed"), or nothing. Called again, it has the lock already.
    std::function<Result<std::string>()> take_lock;
};

/// Undoes one effect whose lease has run out while nobody of us acted, and writes down when and why. Settled, not due
/// or forgotten: does nothing and kills nobody. Run twice, it does nothing the second time.
[[nodiscard]] Result<std::string> run_revert(const Reverter& reverter, const EffectId& id);

/// The same for every effect of the journal: after a boot there is no dead-man any more. `tell` hears of each one that
/// was undone, at once. All are tried; an error is of what could not be undone now, and nothing of it is lost: the next
/// run tries it again. Gives a sentence on the whole.
[[nodiscard]] Result<std::string> run_revert_all(const Reverter& reverter,
                                                 const std::function<void(const EffectId&, const std::string&)>& tell);

/// Tries until it is done, or until `wait` says that it was long enough (false): then the last error. `wait` is told
/// why an attempt failed and waits that long, which grows from kRevertWaitMin to at most kRevertWaitMax and is drawn,
/// so that many reverters of one host do not ask its libvirtd all at once.
[[nodiscard]] Result<std::string> keep_trying(const std::function<Result<std::string>()>& attempt,
                                              const std::function<bool(const Error&, std::chrono::milliseconds)>& wait,
                                              Random& random);

/// What a take-over says of the agent, for the reason of the entry.
[[nodiscard]] std::string describe(const journal::Lock::TakenOver& taken);

}  // namespace penumbra::effects
