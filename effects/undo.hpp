#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "effects/effect.hpp"
#include "journal/entry.hpp"

namespace penumbra::effects {

/// What to write so that what we changed is as `before` again, and what stays as somebody else made it.
struct UndoPlan {
    std::optional<Values> live;        ///< the layer whole, others' values as they are; nothing: none of ours stands
    std::optional<Values> persistent;  ///< the same
    std::string conflict;              ///< not empty: values of ours that somebody changed since, and that are left so
    friend bool operator==(const UndoPlan&, const UndoPlan&) = default;
};

/// Compare-and-revert, value by value, over what `after` changes against `before`: each is as it was (then it is left),
/// as we made it (then it goes back; a crash may have left some of each), or a third thing: somebody's change, which
/// stays and is a conflict. What we never changed is nobody's business here. With Share::kWhole every value counts as
/// ours, and with a conflict nothing is written. Pure.
[[nodiscard]] UndoPlan plan_undo(Share share, const Image& before, const Image& after, const Image& now);

/// Reads, plans, writes, reads again. Gives the entry as it has to be journaled, REVERTED or CONFLICT, with `why` and
/// what was done as its reason; CONFLICT as well where what was before cannot stand beside what somebody else set. An
/// error leaves the work for the next try. Idempotent.
[[nodiscard]] Result<journal::Entry> undo(Effect& effect, journal::Entry entry, const std::string& why, WallTime now);

}  // namespace penumbra::effects
