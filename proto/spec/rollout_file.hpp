#pragma once

#include <string_view>

#include "base/result.hpp"
#include "proto/model/rollout.hpp"

namespace penumbra::spec {

/// A rollout as a person wrote it (every key with its default: docs/operations/files.md):
///
///     name = "good"                 group = "shop"
///     lease = "5m"                  verify = "30s"       confirm_by = "coordinator"
///     [change]
///     kind = "domain.cputune"       parameters = { cpu_shares = 512 }
///     [trial]                                            # the shadow trial that must PASS first, keys of a trial file
///     shadow = "s1"                 measure = "2m"
///     [[trial.kpi]]
///     name = "response_time_mean"   margin = 0.1
///     [[guard]]                                          # production's own, while the change is verified
///     name = "error_rate"           objective = 0.05
///
/// The trial's kind is kChange and its effect the change; both take the rollout's lease. Errors as read_trial().
/// Thread-safe.
[[nodiscard]] Result<model::RolloutSpec> read_rollout(std::string_view file, std::string_view toml);

}  // namespace penumbra::spec
