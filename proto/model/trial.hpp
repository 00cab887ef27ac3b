#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "proto/model/effect.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::model {

/// kAa: nothing is done, the arms must agree. kFault, kChange: one effect on the treated arm. kLoad: more of the same
/// traffic on the treated arm, in steps.
enum class TrialKind : unsigned char { kAa, kFault, kChange, kLoad };
[[nodiscard]] std::string_view to_string(TrialKind kind) noexcept;

/// One KPI a trial judges by.
struct KpiSpec {
    std::string kpi;                  ///< "response_time_mean", "response_time_p95", "error_rate", "guest_cpu"
    double margin = 0.1;              ///< relative: 0.1 is 10 % more in the treated arm counts as harm
    std::optional<double> objective;  ///< at most this, in the KPI's unit: milliseconds, share of requests, cores
    friend bool operator==(const KpiSpec&, const KpiSpec&) = default;
};

/// Where a load trial's steps come from when the file names a forecast: the coordinator turns it into multiples.
struct ForecastAim {
    double quantile = 0.95;
    std::chrono::seconds horizon{86'400};
    std::uint32_t steps = 3;
    friend bool operator==(const ForecastAim&, const ForecastAim&) = default;
};

/// One timed run on a shadow, as a person wrote it. Both arms get the same input in every phase but kLoad's.
struct TrialSpec {
    TrialId trial;
    ShadowId shadow;
    TrialKind kind = TrialKind::kAa;
    ArmId control{"control"};
    ArmId treated{"treated"};
    std::chrono::seconds warm_up{30};   ///< replayed, not measured
    std::chrono::seconds baseline{60};  ///< each arm against itself; the A/A before anything is blamed
    std::chrono::seconds settle{5};     ///< after the effect stands, not measured
    std::chrono::seconds measure{120};  ///< of kLoad: of each step
    std::chrono::milliseconds window{1000};
    double share = 0;  ///< of exchanges replayed; 0: the shadow's scale
    std::vector<KpiSpec> kpis;
    std::optional<EffectSpec> effect;    ///< kFault, kChange: on the treated arm; its id and target are filled in
    std::vector<double> load_multiples;  ///< kLoad: rising, of production's present rate
    std::optional<ForecastAim> aim;      ///< kLoad: instead of load_multiples
    double confidence = 0.95;
    double power = 0.8;
    std::uint64_t seed = 1;  ///< of whatever the judge draws
    friend bool operator==(const TrialSpec&, const TrialSpec&) = default;
};

/// Where a trial stands. Every state but kEnded survives a restart of the coordinator.
enum class TrialState : unsigned char {
    kStartingReplay,
    kWarmingUp,
    kBaseline,
    kApplying,
    kMeasuring,
    kReverting,
    kStoppingReplay,
    kEnded
};
[[nodiscard]] std::string_view to_string(TrialState state) noexcept;

/// A stretch of a trial on the shadow host's wall clock, the one the KPI windows carry.
struct TrialSpan {
    WallTime from{};
    WallTime to{};
    friend bool operator==(const TrialSpan&, const TrialSpan&) = default;
};

struct LoadStep {
    double multiple = 1;
    TrialSpan span;
    Verdict verdict;  ///< PASS: the objectives were held
    friend bool operator==(const LoadStep&, const LoadStep&) = default;
};

struct TrialStatus {
    TrialSpec spec;
    GroupId group;
    HostId host;
    TrialState state = TrialState::kStartingReplay;
    WallTime begun{};  ///< coordinator's clock
    WallTime ended{};
    TrialSpan baseline;              ///< measured, on the host's clock
    TrialSpan measured;              ///< not of kLoad
    std::optional<Verdict> aa;       ///< of the baseline: INVALID ends the trial
    std::optional<Verdict> verdict;  ///< set once, with kEnded
    std::vector<LoadStep> load;
    std::string reason;  ///< one sentence: what it waits for, or why it ended
    friend bool operator==(const TrialStatus&, const TrialStatus&) = default;
};

}  // namespace penumbra::model
