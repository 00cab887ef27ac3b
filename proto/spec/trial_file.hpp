#pragma once

#include <string_view>

#include "base/result.hpp"
#include "proto/model/trial.hpp"

namespace penumbra::spec {

/// A trial as a person wrote it (design D17; every key with its default: docs/operations/files.md):
///
///     name = "partition"            kind = "fault"       # aa, fault, change, load
///     shadow = "s1"                 measure = "2m"
///     [[kpi]]                                            # none: response_time_mean
///     name = "response_time_p95"    margin = 0.2         objective = 250
///     [effect]                                           # of fault and change
///     kind = "ovs.partition"
///     [load]                                             # of load: multiples, or quantile, horizon and steps
///     multiples = [1.5, 2, 3]
///
/// kInvalidArgument: "FILE:LINE:COLUMN: ..." with the key that was expected. What only the fleet's state shows (whether
/// the shadow exists) is not checked. Thread-safe.
[[nodiscard]] Result<model::TrialSpec> read_trial(std::string_view file, std::string_view toml);

}  // namespace penumbra::spec
