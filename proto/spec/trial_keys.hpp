#pragma once

// Internal to proto/spec: the keys that trial and rollout files share.

#include <string_view>
#include <vector>

#include "proto/model/effect.hpp"
#include "proto/model/trial.hpp"
#include "proto/spec/reading.hpp"

namespace penumbra::spec {

/// [[kpi]] or [[guard]]: name, margin, objective.
void read_kpis(Reading& reading, std::string_view key, std::vector<model::KpiSpec>& into);

/// The keys of [effect] or [change]: kind and what it takes; with `own_lease` also how long it may stand.
void read_effect(Reading& reading, model::EffectSpec& into, bool own_lease);

/// What a trial of a file of its own and a rollout's [trial] have in common: all but name, kind, effect and load.
void read_conduct(Reading& reading, model::TrialSpec& into);

}  // namespace penumbra::spec
