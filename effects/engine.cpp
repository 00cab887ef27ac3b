#include "effects/engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits/effects.hpp"
#include "effects/undo.hpp"
#include "effects/values.hpp"

namespace penumbra::effects {

using model::EffectState;

namespace {

/// What an effect holds on to, in words: an effect on the same thing would take its change for somebody else's.
std::string thing_of(const model::EffectSpec& spec, const Site& site) {
    const std::string_view kind = model::kind_of(spec);
    if (const auto* tune = std::get_if<model::IoTune>(&spec.action))
        return fmt::format("{} of disk {} of {}", kind, tune->disk, site.domain);
    // One rule a port, whoever's it is: two VMs of an arm share the bridge.
    if (std::holds_alternative<model::Partition>(spec.action)) return fmt::format("{} on {}", kind, site.bridge);
    if (const auto* mirror = std::get_if<model::MirrorHold>(&spec.action))
        return fmt::format("{} of {} on {}", kind, mirror->mirrored_port, mirror->bridge);
    return fmt::format("{} of {}", kind, site.domain);
}

/// What an entry changes, a layer: only this is compared and written, whatever else stands beside it.
Names live_names(const journal::Entry& entry) {
    return changed_names(*entry.before.live, *entry.after.live);
}
Names persistent_names(const journal::Entry& entry) {
    return changed_names(entry.before.persistent, entry.after.persistent);
}
bool is_live(const Image& now, const journal::Entry& entry, const Values& values) {
    return now.live.has_value() && agree_on(live_names(entry), *now.live, values);
}
bool is_persistent(const Image& now, const journal::Entry& entry, const Values& values) {
    return agree_on(persistent_names(entry), now.persistent, values);
}

}  // namespace

model::EffectStatus status_of(const journal::Entry& entry) {
    return {.id = entry.spec.id,
            .state = entry.state,
            .before_hash = entry.before_hash,
            .after_hash = entry.after_hash,
            .reason = entry.reason};
}

Result<journal::Entry> Engine::find(const EffectId& id) const {
    const auto found = entries_.find(id);
    if (found != entries_.end()) return found->second;
    return fail(ErrorCode::kNotFound, fmt::format("no effect {} on this host", id.text()));
}

Result<void> Engine::keep(const journal::Entry& entry) {
    TRY(parts_.journal.put(entry));
    entries_.insert_or_assign(entry.spec.id, entry);
    return {};
}

bool Engine::lease_is_over(const journal::Entry& entry) const {
    return entry.boot_id != parts_.boot_id || parts_.clock.now() >= entry.deadline;
}

Result<std::vector<Error>> Engine::recover() {
    journal::Contents contents = TRY(parts_.journal.read_all());
    damaged_ = std::move(contents.damaged);
    entries_.clear();
    for (journal::Entry& entry : contents.entries)
        entries_.emplace(entry.spec.id, entry);
    std::vector<Error> failed;
    for (const journal::Entry& entry : contents.entries) {
        if (journal::is_settled(entry.state)) continue;
        const std::string_view what = entry.boot_id == parts_.boot_id ? "the agent" : "the host";
        const Result<void> done =
            settle(entry, fmt::format("{} restarted before effect {} was confirmed", what, entry.spec.id.text()));
        if (!done.has_value()) failed.push_back(done.error());
    }
    return failed;
}

Result<void> Engine::check_room(const model::EffectSpec& spec, const Site& site) const {
    if (!damaged_.empty()) {
        return fail(ErrorCode::kDataLoss,
                    fmt::format("the journal holds {}, which cannot be read ({}): an effect may stand that nobody "
                                "knows. Look at the host, then remove the file",
                                damaged_.front().name, damaged_.front().reason));
    }
    if (entries_.size() >= limits::kJournalEntriesMax) {
        return fail(ErrorCode::kResourceExhausted,
                    fmt::format("the journal holds {} effects, as many as it may", entries_.size()));
    }
    for (const auto& [id, entry] : entries_) {
        if (journal::is_settled(entry.state) || thing_of(entry.spec, entry.site) != thing_of(spec, site)) continue;
        return fail(ErrorCode::kConflict, fmt::format("effect {} stands on the same thing ({}): wait for its end",
                                                      id.text(), thing_of(spec, site)));
    }
    return {};
}

Result<journal::Entry> Engine::intend(const Order& order, const Site& site, Effect& effect) {
    journal::Entry entry{.spec = order.spec, .site = site};
    entry.before = TRY(effect.read(entry.spec, site));
    if (!entry.before.live.has_value()) {
        return fail(
            ErrorCode::kUnavailable,
            fmt::format("the target of effect {} does not run: nothing could be tried live", entry.spec.id.text()));
    }
    entry.after = TRY(effect.intend(entry.spec, site, entry.before));
    entry.before_hash = TRY(effect.fingerprint(entry.spec, site));
    entry.boot_id = parts_.boot_id;
    entry.deadline = parts_.clock.now() + entry.spec.lease;
    entry.epoch = order.epoch;
    entry.command = order.command;
    entry.changed = parts_.clock.wall();
    return entry;
}

Result<void> Engine::stand_up(Effect& effect, journal::Entry entry) {
    TRY(parts_.dead_man.arm(entry.spec.id, entry.arming, entry.deadline - parts_.clock.now() + limits::kDeadManGrace));
    const Image stood = TRY(effect.read(entry.spec, entry.site));
    if (!is_live(stood, entry, *entry.before.live)) {
        return fail(ErrorCode::kConflict, fmt::format("somebody changed what effect {} was about to change: try again",
                                                      entry.spec.id.text()));
    }
    TRY(effect.write(entry.spec, entry.site, Layer::kLive,
                     with_names_of(*stood.live, live_names(entry), *entry.after.live)));
    const Image now = TRY(effect.read(entry.spec, entry.site));
    if (!is_live(now, entry, *entry.after.live) || !is_persistent(now, entry, entry.before.persistent)) {
        return fail(ErrorCode::kInternal,
                    fmt::format("effect {} does not read back as it was written", entry.spec.id.text()));
    }
    entry.after_hash = TRY(effect.fingerprint(entry.spec, entry.site));
    entry.state = EffectState::kVerified;
    entry.changed = parts_.clock.wall();
    return keep(entry);
}

Result<model::EffectStatus> Engine::apply(const Order& order, const Premises& premises) {
    if (const auto known = entries_.find(order.spec.id); known != entries_.end()) {
        if (known->second.command == order.command && known->second.spec == order.spec) return status_of(known->second);
        return fail(ErrorCode::kAlreadyExists,
                    fmt::format("effect {} is known from another order", order.spec.id.text()));
    }
    const Site site = TRY(admit(order.spec, premises));
    TRY(check_room(order.spec, site));
    Effect& effect = *TRY(parts_.catalogue.find(order.spec));
    const journal::Entry entry = TRY(intend(order, site, effect));
    TRY(keep(entry));
    Result<void> stood = stand_up(effect, entry);
    if (!stood.has_value()) {
        follow_by(stood,
                  settle(entry, fmt::format("effect {} failed: {}", entry.spec.id.text(), stood.error().message)));
        return tl::unexpected(std::move(stood).error());
    }
    return status_of(entries_.at(order.spec.id));
}

Result<void> Engine::make_stay(Effect& effect, journal::Entry entry) {
    const Image now = TRY(effect.read(entry.spec, entry.site));
    const bool written = is_persistent(now, entry, entry.after.persistent);
    if (!is_live(now, entry, *entry.after.live) || !(written || is_persistent(now, entry, entry.before.persistent))) {
        return fail(ErrorCode::kConflict, fmt::format("effect {} is not as it was applied: somebody changed it, or the "
                                                      "target was restarted. It will be undone",
                                                      entry.spec.id.text()));
    }
    if (!written) {
        TRY(effect.write(entry.spec, entry.site, Layer::kPersistent,
                         with_names_of(now.persistent, persistent_names(entry), entry.after.persistent)));
    }
    const Image kept = TRY(effect.read(entry.spec, entry.site));
    if (!is_live(kept, entry, *entry.after.live) || !is_persistent(kept, entry, entry.after.persistent)) {
        return fail(ErrorCode::kInternal,
                    fmt::format("effect {} does not read back as it was confirmed", entry.spec.id.text()));
    }
    entry.after_hash = TRY(effect.fingerprint(entry.spec, entry.site));
    if (lease_is_over(entry)) {
        return fail(ErrorCode::kDeadlineExceeded,
                    fmt::format("the lease of effect {} ran out while it was confirmed", entry.spec.id.text()));
    }
    entry.state = EffectState::kConfirmed;
    entry.changed = parts_.clock.wall();
    return keep(entry);
}

Result<model::EffectStatus> Engine::confirm(const EffectId& id) {
    const journal::Entry entry = TRY(find(id));
    if (entry.state == EffectState::kConfirmed) return status_of(entry);
    Effect& effect = *TRY(parts_.catalogue.find(entry.spec));
    if (entry.state != EffectState::kVerified || !effect.can_stay(entry.spec)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("effect {} is {} and cannot be confirmed: {}", id.text(), model::to_string(entry.state),
                                entry.reason.empty() ? "only a change to production can stay" : entry.reason));
    }
    if (lease_is_over(entry)) {
        return fail(ErrorCode::kDeadlineExceeded, fmt::format("the lease of effect {} has run out", id.text()));
    }
    Result<void> stays = make_stay(effect, entry);
    if (!stays.has_value()) {
        follow_by(stays,
                  settle(entry, fmt::format("effect {} was not confirmed: {}", id.text(), stays.error().message)));
        return tl::unexpected(std::move(stays).error());
    }
    // Confirmed from here on; a dead-man that could not be taken away finds a confirmed entry and does nothing.
    static_cast<void>(parts_.dead_man.disarm(id, entry.arming));
    return status_of(entries_.at(id));
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a copy, because keep() writes over the one in entries_
Result<void> Engine::settle(journal::Entry entry, const std::string& why) {
    Effect& effect = *TRY(parts_.catalogue.find(entry.spec));
    TRY(keep(TRY(undo(effect, entry, why, parts_.clock.wall()))));
    // It fires at most once more and finds a settled entry.
    static_cast<void>(parts_.dead_man.disarm(entry.spec.id, entry.arming));
    return {};
}

Result<model::EffectStatus> Engine::revert(const EffectId& id, const std::string& why) {
    journal::Entry entry = TRY(find(id));
    if (entry.state == EffectState::kConfirmed) {
        // Unsettled again, with a dead-man of its own: if we die half through, somebody goes on.
        entry.state = EffectState::kReverting;
        entry.arming += 1;
        entry.boot_id = parts_.boot_id;
        entry.deadline = parts_.clock.now() + limits::kLeaseMin;
        TRY(parts_.dead_man.arm(id, entry.arming, limits::kLeaseMin + limits::kDeadManGrace));
        TRY(keep(entry));
    }
    if (!journal::is_settled(entry.state)) TRY(settle(entry, why));
    return status_of(entries_.at(id));
}

Result<model::EffectStatus> Engine::extend(const EffectId& id, std::chrono::seconds lease) {
    journal::Entry entry = TRY(find(id));
    if (entry.state != EffectState::kVerified || lease_is_over(entry)) {
        return fail(ErrorCode::kDeadlineExceeded, fmt::format("effect {} is {}: its lease cannot be extended",
                                                              id.text(), model::to_string(entry.state)));
    }
    if (lease < limits::kLeaseMin || lease > limits::kLeaseMax) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a lease of {} s is out of bounds", lease.count()));
    }
    const std::uint32_t old_arming = entry.arming++;
    entry.deadline = parts_.clock.now() + lease;
    entry.changed = parts_.clock.wall();
    TRY(parts_.dead_man.arm(id, entry.arming, lease + limits::kDeadManGrace));
    TRY(keep(entry));
    // An old dead-man that stays finds a deadline in the future, and that a later one is armed.
    static_cast<void>(parts_.dead_man.disarm(id, old_arming));
    return status_of(entry);
}

std::vector<Error> Engine::expire() {
    std::vector<journal::Entry> due;
    for (const auto& [id, entry] : entries_)
        if (!journal::is_settled(entry.state) && lease_is_over(entry)) due.push_back(entry);
    std::vector<Error> failed;
    for (const journal::Entry& entry : due) {
        const Result<void> done = settle(entry, fmt::format("the lease of effect {} ran out", entry.spec.id.text()));
        if (!done.has_value()) failed.push_back(done.error());
    }
    return failed;
}

std::vector<model::EffectStatus> Engine::statuses() const {
    std::vector<model::EffectStatus> statuses;
    statuses.reserve(entries_.size());
    for (const auto& [id, entry] : entries_)
        statuses.push_back(status_of(entry));
    return statuses;
}

Result<Values> Engine::evidence(const EffectId& id) {
    const journal::Entry entry = TRY(find(id));
    return TRY(parts_.catalogue.find(entry.spec))->evidence(entry.spec, entry.site);
}

Result<void> Engine::forget(const EffectId& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return {};
    if (!journal::is_settled(found->second.state)) {
        return fail(ErrorCode::kConflict, fmt::format("effect {} still stands", id.text()));
    }
    TRY(parts_.journal.forget(id));
    entries_.erase(found);
    return {};
}

}  // namespace penumbra::effects
