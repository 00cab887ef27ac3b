#include "effects/undo.hpp"

#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace penumbra::effects {

namespace {

std::string value_of(const Values& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
}

std::string shown(const std::string& value) {
    return value.empty() ? "not set" : value;
}

/// The first value that is neither of ours, as a sentence; empty when there is none.
std::string foreign_value(std::string_view layer, const Values& before, const Values& after, const Values& now) {
    std::set<std::string> names;
    for (const Values* values : {&before, &after, &now})
        for (const auto& [name, value] : *values)
            names.insert(name);
    for (const std::string& name : names) {
        const std::string current = value_of(now, name);
        if (current == value_of(before, name) || current == value_of(after, name)) continue;
        return fmt::format("{} {} is {}, neither {} as before nor {} as we set it", layer, name, shown(current),
                           shown(value_of(before, name)), shown(value_of(after, name)));
    }
    return {};
}

bool stands(const Image& before, const Image& now) {
    const bool live = !now.live.has_value() || !before.live.has_value() || *now.live == *before.live;
    return live && now.persistent == before.persistent;
}

Result<void> write_plan(Effect& effect, const journal::Entry& entry, const UndoPlan& plan) {
    // The persistent layer first: if the live one cannot be written, a restart of the object heals it.
    Result<void> done;
    if (plan.persistent.has_value()) {
        done = effect.write(entry.spec, entry.site, Layer::kPersistent, *plan.persistent);
    }
    if (plan.live.has_value()) {
        Result<void> live = effect.write(entry.spec, entry.site, Layer::kLive, *plan.live);
        follow_by(done, live);
        if (done.has_value()) done = std::move(live);
    }
    return done;
}

journal::Entry settled(journal::Entry entry, model::EffectState state, std::string reason, WallTime now) {
    entry.state = state;
    entry.reason = std::move(reason);
    entry.changed = now;
    return entry;
}

}  // namespace

UndoPlan plan_undo(const Image& before, const Image& after, const Image& now) {
    UndoPlan plan;
    plan.conflict = foreign_value("persistent", before.persistent, after.persistent, now.persistent);
    if (!plan.conflict.empty()) return plan;
    // Restarted meanwhile: what runs was made from the persistent layer, the volatile change is gone with the old life.
    const bool live_matters =
        now.live.has_value() && before.live.has_value() && after.live.has_value() && *now.live != *before.live;
    if (live_matters) {
        plan.conflict = foreign_value("live", *before.live, *after.live, *now.live);
        if (!plan.conflict.empty()) return plan;
        plan.live = before.live;
    }
    if (now.persistent != before.persistent) plan.persistent = before.persistent;
    return plan;
}

Result<journal::Entry> undo(Effect& effect, journal::Entry entry, const std::string& why, WallTime now) {
    const Result<Image> current = effect.read(entry.spec, entry.site);
    if (!current.has_value() && current.error().code == ErrorCode::kNotFound) {
        return settled(std::move(entry), model::EffectState::kConflict,
                       fmt::format("{}; nothing was put back: {}", why, current.error().message), now);
    }
    if (!current.has_value()) return fail_in(fmt::format("undoing effect {}", entry.spec.id.text()), current.error());
    const UndoPlan plan = plan_undo(entry.before, entry.after, *current);
    if (!plan.conflict.empty()) {
        return settled(std::move(entry), model::EffectState::kConflict,
                       fmt::format("{}; somebody changed it since and nothing was overwritten: {}", why, plan.conflict),
                       now);
    }
    if (!plan.live.has_value() && !plan.persistent.has_value()) {
        return settled(std::move(entry), model::EffectState::kReverted,
                       fmt::format("{}; the state before stood already", why), now);
    }
    TRY(write_plan(effect, entry, plan));
    if (!stands(entry.before, TRY(effect.read(entry.spec, entry.site)))) {
        return fail(ErrorCode::kInternal,
                    fmt::format("effect {} does not read back as it was before", entry.spec.id.text()));
    }
    return settled(std::move(entry), model::EffectState::kReverted,
                   fmt::format("{}; the state before was put back", why), now);
}

}  // namespace penumbra::effects
