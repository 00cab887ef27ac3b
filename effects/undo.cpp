#include "effects/undo.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "effects/values.hpp"

namespace penumbra::effects {

namespace {

struct LayerPlan {
    std::optional<Values> write;
    std::vector<std::string> foreign;  ///< a sentence a value of ours that somebody changed
};

std::string shown(const std::string& value) {
    return value.empty() ? "not set" : value;
}

Names names_of_ours(Share share, const Values& before, const Values& after, const Values& now) {
    Names names = changed_names(before, after);
    if (share == Share::kWhole) names.merge(changed_names(before, now));
    return names;
}

LayerPlan plan_layer(Share share, std::string_view layer, const Values& before, const Values& after,
                     const Values& now) {
    LayerPlan plan;
    Names back;
    for (const std::string& name : names_of_ours(share, before, after, now)) {
        const std::string current = value_of(now, name);
        if (current == value_of(before, name)) continue;
        if (current == value_of(after, name)) {
            back.insert(name);
        } else {
            plan.foreign.push_back(fmt::format("{} {} is {}, neither {} as before nor {} as we set it", layer, name,
                                               shown(current), shown(value_of(before, name)),
                                               shown(value_of(after, name))));
        }
    }
    if (!back.empty()) plan.write = with_names_of(now, back, before);
    return plan;
}

bool writes(const UndoPlan& plan) {
    return plan.live.has_value() || plan.persistent.has_value();
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

/// Refused for good, and because of others' values: by themselves those of `before` stood there once.
bool is_in_the_way(const Error& error, const UndoPlan& plan, const Image& before) {
    const auto refused = [](const Error& each) { return each.code == ErrorCode::kInvalidArgument; };
    const bool beside_others = (plan.live.has_value() && plan.live != before.live) ||
                               (plan.persistent.has_value() && *plan.persistent != before.persistent);
    return beside_others && refused(error) && std::ranges::all_of(error.followed_by, refused);
}

journal::Entry settled(journal::Entry entry, model::EffectState state, std::string reason, WallTime now) {
    entry.state = state;
    entry.reason = std::move(reason);
    entry.changed = now;
    return entry;
}

}  // namespace

UndoPlan plan_undo(Share share, const Image& before, const Image& after, const Image& now) {
    LayerPlan persistent = plan_layer(share, "persistent", before.persistent, after.persistent, now.persistent);
    LayerPlan live;
    // Restarted meanwhile: what runs was made from the persistent layer, the volatile change is gone with the old life.
    if (now.live.has_value() && before.live.has_value() && after.live.has_value())
        live = plan_layer(share, "live", *before.live, *after.live, *now.live);
    std::ranges::move(live.foreign, std::back_inserter(persistent.foreign));
    UndoPlan plan{.live = std::move(live.write),
                  .persistent = std::move(persistent.write),
                  .conflict = fmt::format("{}", fmt::join(persistent.foreign, ", "))};
    if (share == Share::kWhole && !plan.conflict.empty()) plan.live = plan.persistent = std::nullopt;
    return plan;
}

Result<journal::Entry> undo(Effect& effect, journal::Entry entry, const std::string& why, WallTime now) {
    const Result<Image> current = effect.read(entry.spec, entry.site);
    if (!current.has_value() && current.error().code == ErrorCode::kNotFound) {
        return settled(std::move(entry), model::EffectState::kConflict,
                       fmt::format("{}; nothing was put back: {}", why, current.error().message), now);
    }
    if (!current.has_value()) return fail_in(fmt::format("undoing effect {}", entry.spec.id.text()), current.error());
    UndoPlan plan = plan_undo(effect.share(), entry.before, entry.after, *current);
    const bool wrote = writes(plan);
    if (wrote) {
        const Result<void> written = write_plan(effect, entry, plan);
        if (!written.has_value() && is_in_the_way(written.error(), plan, entry.before)) {
            return settled(std::move(entry), model::EffectState::kConflict,
                           fmt::format("{}; what was before cannot stand beside what somebody set since: {}", why,
                                       written.error().describe()),
                           now);
        }
        TRY(written);
        plan = plan_undo(effect.share(), entry.before, entry.after, TRY(effect.read(entry.spec, entry.site)));
        if (writes(plan)) {
            return fail(ErrorCode::kInternal,
                        fmt::format("effect {} does not read back as it was before", entry.spec.id.text()));
        }
    }
    if (!plan.conflict.empty()) {
        return settled(std::move(entry), model::EffectState::kConflict,
                       fmt::format("{}; somebody changed it since and that was not overwritten: {}{}", why,
                                   plan.conflict, wrote ? "; the rest was put back" : ""),
                       now);
    }
    return settled(std::move(entry), model::EffectState::kReverted,
                   fmt::format("{}; the state before {}", why, wrote ? "was put back" : "stood already"), now);
}

}  // namespace penumbra::effects
