#include "effects/revert/revert.hpp"

#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/limits/effects.hpp"
#include "effects/undo.hpp"

namespace penumbra::effects {

Need need_of(const journal::Entry& entry, const std::string& boot_id, Instant now) {
    if (journal::is_settled(entry.state)) return Need::kSettled;
    if (entry.boot_id == boot_id && now < entry.deadline) return Need::kNotDue;
    return Need::kUndo;
}

namespace {

Result<std::pair<Need, std::optional<journal::Entry>>> look(const Reverter& reverter, const EffectId& id) {
    Result<journal::Entry> entry = reverter.journal.get(id);
    if (!entry.has_value() && entry.error().code == ErrorCode::kNotFound)
        return std::pair(Need::kUnknown, std::nullopt);
    if (!entry.has_value()) return tl::unexpected(std::move(entry).error());
    const Need need = need_of(*entry, reverter.boot_id, reverter.clock.now());
    return std::pair(need, std::optional(std::move(*entry)));
}

std::string nothing_to_do(Need need, const EffectId& id) {
    switch (need) {
        case Need::kSettled:
            return fmt::format("effect {} is settled already: nothing to do", id.text());
        case Need::kNotDue:
            return fmt::format("the lease of effect {} was extended: a later dead-man is armed", id.text());
        case Need::kUnknown:
        case Need::kUndo:
            break;
    }
    return fmt::format("effect {} is not in the journal: nothing to do", id.text());
}

std::string utc(WallTime time) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

Result<std::string> undo_late(const Reverter& reverter, const journal::Entry& entry, const std::string& about_agent) {
    const EffectId& id = entry.spec.id;
    Effect& effect = *TRY(reverter.catalogue.find(entry.spec));
    // The wall clock may have stepped since: the time of the end is counted back from now, on the boot clock.
    const bool same_boot = entry.boot_id == reverter.boot_id;
    const auto late = same_boot ? reverter.clock.now() - entry.deadline : std::chrono::nanoseconds(0);
    const WallTime ended = reverter.clock.wall() - std::chrono::duration_cast<std::chrono::milliseconds>(late);
    std::string why = same_boot ? fmt::format("the lease of effect {} ran out at {}", id.text(), utc(ended))
                                : fmt::format("the host restarted before effect {} was confirmed", id.text());
    if (!about_agent.empty()) why += "; " + about_agent;
    journal::Entry settled = TRY(undo(effect, entry, why, reverter.clock.wall()));
    TRY(reverter.journal.put(settled));
    return std::move(settled.reason);
}

struct Done {
    Need need = Need::kUndo;  ///< kUndo: it was undone
    std::string sentence;
};

Result<Done> revert_if_due(const Reverter& reverter, const EffectId& id) {
    // Looked at before the lock is taken: an agent that did its work is not killed for it. Reading needs no lock.
    if (const auto [need, entry] = TRY(look(reverter, id)); need != Need::kUndo)
        return Done{.need = need, .sentence = nothing_to_do(need, id)};
    const std::string about_agent = TRY(reverter.take_lock());
    // And again after: the agent may have finished while we waited.
    const auto [need, entry] = TRY(look(reverter, id));
    if (need != Need::kUndo) return Done{.need = need, .sentence = nothing_to_do(need, id)};
    return Done{.need = Need::kUndo, .sentence = TRY(undo_late(reverter, *entry, about_agent))};
}

}  // namespace

Result<std::string> run_revert(const Reverter& reverter, const EffectId& id) {
    return TRY(revert_if_due(reverter, id)).sentence;
}

Result<std::string> run_revert_all(const Reverter& reverter,
                                   const std::function<void(const EffectId&, const std::string&)>& tell) {
    const std::vector<EffectId> effects = TRY(reverter.journal.effects());
    Result<std::string> all;
    const auto could_not = [&all](const EffectId& id, const Error& error) {
        Result<void> failed = fail_in(fmt::format("effect {} could not be undone", id.text()), error);
        follow_by(all, failed);
        if (all.has_value()) all = tl::unexpected(std::move(failed).error());
    };
    std::vector<EffectId> due;
    for (const EffectId& id : effects) {
        const auto looked = look(reverter, id);
        if (!looked.has_value()) could_not(id, looked.error());
        if (looked.has_value() && looked->first == Need::kUndo) due.push_back(id);
    }
    if (!due.empty()) TRY(reverter.take_lock());
    std::size_t undone = 0;
    for (const EffectId& id : due) {
        const Result<Done> done = revert_if_due(reverter, id);
        if (!done.has_value()) could_not(id, done.error());
        if (!done.has_value() || done->need != Need::kUndo) continue;
        ++undone;
        tell(id, done->sentence);
    }
    if (all.has_value()) all = fmt::format("{} of {} effects in the journal had to be undone", undone, effects.size());
    return all;
}

Result<std::string> keep_trying(const std::function<Result<std::string>()>& attempt,
                                const std::function<bool(const Error&, std::chrono::milliseconds)>& wait,
                                Random& random) {
    constexpr Backoff kGrowing{.base = limits::kRevertWaitMin, .cap = limits::kRevertWaitMax};
    std::chrono::milliseconds next = kGrowing.base;
    while (true) {
        Result<std::string> done = attempt();
        if (done.has_value() || !wait(done.error(), next)) return done;
        next = kGrowing.next(next, random);
    }
}

std::string describe(const journal::Lock::TakenOver& taken) {
    if (!taken.killed.has_value()) return {};
    std::string_view was = "running and did not act";
    if (taken.killed_was == 'T' || taken.killed_was == 't') was = "stopped";
    if (taken.killed_was == 'D') was = "waiting in the kernel";
    return fmt::format("agent pid {} was {} and was killed", taken.killed->pid, was);
}

}  // namespace penumbra::effects
