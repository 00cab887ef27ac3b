#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "effects/effect.hpp"
#include "journal/entry.hpp"

namespace penumbra::effects {

/// What to write so that `before` stands again, or why nothing may be written.
struct UndoPlan {
    std::optional<Values> live;        ///< nothing: holds already what it should
    std::optional<Values> persistent;  ///< nothing: holds already what it should
    std::string conflict;              ///< not empty: somebody changed it since; one sentence, and nothing is written
    friend bool operator==(const UndoPlan&, const UndoPlan&) = default;
};

/// Compare-and-revert, value by value: each must be what it was before or what we made it (a crash may have left some
/// of each); any third value is somebody's change. Pure.
[[nodiscard]] UndoPlan plan_undo(const Image& before, const Image& after, const Image& now);

/// Reads, plans, writes, reads again. Gives the entry as it has to be journaled: REVERTED or CONFLICT, with `why` and
/// what was done as its reason. An error leaves the work for the next try. Idempotent.
[[nodiscard]] Result<journal::Entry> undo(Effect& effect, journal::Entry entry, const std::string& why, WallTime now);

}  // namespace penumbra::effects
