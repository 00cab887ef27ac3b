// Whatever an operator sets while a change of ours stands: what is theirs stays, what is ours goes back, and it is a
// conflict exactly where both changed the same value.
#include "effects/undo.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "effects/values.hpp"
#include "tests/unit/effects/mortal_host.hpp"

namespace penumbra::effects {
namespace {

using model::EffectState;
using testing::Host;

using Choices = std::vector<std::string>;
const Choices kNames{"a", "b", "c", "d"};
const Choices kValues{"", "1", "2", "3"};

/// Some of the names get one of these values; "": none.
Values edited(Values values, const Choices& names, const Choices& choices) {
    for (const std::string& name : names) {
        if (*rc::gen::arbitrary<bool>()) continue;
        const std::string value = *rc::gen::elementOf(choices);
        values.erase(name);
        if (!value.empty()) values.emplace(name, value);
    }
    return values;
}

struct Moment {
    Image before;
    Image after;
    Image now;
};

Moment any_moment() {
    Moment moment;
    const auto any_layer = [](Values& before, Values& after, Values& now) {
        before = edited({}, kNames, kValues);
        after = edited(before, kNames, kValues);
        now = edited(*rc::gen::arbitrary<bool>() ? after : before, kNames, kValues);
    };
    any_layer(moment.before.live.emplace(), moment.after.live.emplace(), moment.now.live.emplace());
    any_layer(moment.before.persistent, moment.after.persistent, moment.now.persistent);
    return moment;
}

/// Each value of a layer at `end` as it has to be; gives whether somebody changed one of ours.
bool check_layer(const Values& before, const Values& after, const Values& now, const Values& end) {
    bool conflict = false;
    Names names;
    for (const Values* values : {&before, &after, &now, &end})
        for (const auto& [name, value] : *values)
            names.insert(name);
    for (const std::string& name : names) {
        const std::string current = value_of(now, name);
        const bool ours = value_of(before, name) != value_of(after, name);
        const bool theirs = current != value_of(before, name) && current != value_of(after, name);
        RC_ASSERT(value_of(end, name) == (ours && !theirs ? value_of(before, name) : current));
        conflict = conflict || (ours && theirs);
    }
    return conflict;
}

bool check(const Moment& moment, const Image& end) {
    const bool live = check_layer(*moment.before.live, *moment.after.live, *moment.now.live, *end.live);
    return check_layer(moment.before.persistent, moment.after.persistent, moment.now.persistent, end.persistent) ||
           live;
}

RC_GTEST_PROP(PlanUndo, PutsBackWhatWeChangedAndNothingElse, ()) {
    const Moment moment = any_moment();
    const UndoPlan plan = plan_undo(Share::kValues, moment.before, moment.after, moment.now);
    const Image end{.live = plan.live.value_or(*moment.now.live),
                    .persistent = plan.persistent.value_or(moment.now.persistent)};
    RC_ASSERT(check(moment, end) == !plan.conflict.empty());
    const UndoPlan again = plan_undo(Share::kValues, moment.before, moment.after, end);
    RC_ASSERT(!again.live.has_value() && !again.persistent.has_value() && again.conflict == plan.conflict);
}

RC_GTEST_PROP(PlanUndo, AThingOfOursGoesAsAWholeOrNotAtAll, ()) {
    const Moment moment = any_moment();
    const UndoPlan plan = plan_undo(Share::kWhole, moment.before, moment.after, moment.now);
    bool foreign = false;
    for (const std::string& name : kNames) {
        const auto is_foreign = [&](const Values& before, const Values& after, const Values& now) {
            return value_of(now, name) != value_of(before, name) && value_of(now, name) != value_of(after, name);
        };
        foreign = foreign || is_foreign(*moment.before.live, *moment.after.live, *moment.now.live) ||
                  is_foreign(moment.before.persistent, moment.after.persistent, moment.now.persistent);
    }
    RC_ASSERT(foreign == !plan.conflict.empty());
    if (foreign) {
        RC_ASSERT(!plan.live.has_value() && !plan.persistent.has_value());
    } else {
        RC_ASSERT(plan.live.value_or(*moment.now.live) == *moment.before.live);
        RC_ASSERT(plan.persistent.value_or(moment.now.persistent) == moment.before.persistent);
    }
}

/// A vector of the host's as an operator has it in hand; "" where a value may be missing.
struct Tunable {
    Effect& effect;
    Choices names;
    Choices live;
    Choices persistent;
};

void edit(Host& host, const Tunable& vector, const Order& order) {
    const Site& site = host.premises.vms[0].site;
    const Image now = host.now(order);
    RC_ASSERT(
        vector.effect.write(order.spec, site, Layer::kLive, edited(*now.live, vector.names, vector.live)).has_value());
    RC_ASSERT(vector.effect
                  .write(order.spec, site, Layer::kPersistent, edited(now.persistent, vector.names, vector.persistent))
                  .has_value());
}

void change_edit_and_undo(Host& host, const Tunable& vector, const Order& order) {
    edit(host, vector, order);
    RC_ASSERT(host.engine.apply(order, host.premises).has_value());
    if (*rc::gen::arbitrary<bool>()) RC_ASSERT(host.engine.confirm(order.spec.id).has_value());
    if (*rc::gen::arbitrary<bool>()) edit(host, vector, order);
    const Moment moment{.before = host.journal.get(order.spec.id)->before,
                        .after = host.journal.get(order.spec.id)->after,
                        .now = host.now(order)};
    const auto undone = host.engine.revert(order.spec.id, "asked to");
    RC_ASSERT(undone.has_value());
    const bool conflict = check(moment, host.now(order));
    RC_ASSERT(undone->state == (conflict ? EffectState::kConflict : EffectState::kReverted));
}

RC_GTEST_PROP(Undo, OfDiskLimitsLeavesWhatOthersSet, ()) {
    Host host;
    const Choices limits{"total_bytes_sec", "total_bytes_sec_max", "total_iops_sec", "total_iops_sec_max"};
    model::IoTune action{.disk = "vda"};
    for (const auto& [name, value] : edited({{limits[0], "1"}}, limits, {"0", "1", "2"}))
        action.limits.emplace(name, std::stoull(value));
    change_edit_and_undo(
        host, {.effect = host.plain_iotune, .names = limits, .live = {"", "1", "2", "3"}, .persistent = kValues},
        testing::order_of(action));
}

RC_GTEST_PROP(Undo, OfCpuLimitsLeavesWhatOthersSet, ()) {
    Host host;
    const Choices parameters{"cpu_shares", "vcpu_period", "vcpu_quota"};
    model::CpuTune action;
    for (const auto& [name, value] : edited({{parameters[2], "1000"}}, parameters, {"1000", "2000"}))
        action.parameters.emplace(name, std::stoll(value));
    change_edit_and_undo(host,
                         {.effect = host.plain_cputune,
                          .names = parameters,
                          .live = {"1000", "2000", "3000"},
                          .persistent = {"", "1000", "2000", "3000"}},
                         testing::order_of(action));
}

}  // namespace
}  // namespace penumbra::effects
