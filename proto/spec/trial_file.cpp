#include "proto/spec/trial_file.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/limits/coordinator.hpp"
#include "base/limits/effects.hpp"
#include "base/limits/spec.hpp"
#include "base/limits/wire.hpp"
#include "proto/spec/trial_keys.hpp"

namespace penumbra::spec {

namespace {
using model::TrialKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<std::string_view> kKpis{"response_time_mean", "response_time_p95", "response_time_p99",
                                          "error_rate",         "guest_cpu",         "disk_bytes"};

void read_name(Reading& reading, TrialId& into) {
    reading.id("name", into, Need::kRequired);
    if (into.text().size() > limits::kNameBytesMax) reading.refuse("name", "it is longer than 40 characters");
}

void read_load(Reading& reading, model::TrialSpec& spec) {
    std::vector<double> multiples;
    reading.numbers("multiples", multiples, 0.01, limits::kReplayRateMultipleMax, limits::kLoadStepsMax);
    model::ForecastAim aim;
    reading.number("quantile", aim.quantile, 0.01, 0.999);
    reading.duration("horizon", aim.horizon, seconds(300), limits::kForecastAimMax);
    std::int64_t steps = aim.steps;
    reading.integer("steps", steps, 1, limits::kLoadStepsMax);
    aim.steps = static_cast<std::uint32_t>(steps);
    if (std::ranges::adjacent_find(multiples, std::greater_equal{}) != multiples.end()) {
        reading.refuse("multiples", "each must be greater than the one before it");
    }
    if (reading.has("multiples") == (reading.has("quantile") || reading.has("horizon"))) {
        reading.refuse("multiples", "a load trial takes either `multiples`, or `quantile` and `horizon` of a forecast");
    }
    spec.load_multiples = std::move(multiples);
    if (!reading.has("multiples")) spec.aim = aim;
}

// A load trial looks for where an objective breaks, so it needs one.
void check_kind(Reading& reading, const model::TrialSpec& spec) {
    const bool wants_effect = spec.kind == TrialKind::kFault || spec.kind == TrialKind::kChange;
    if (spec.effect.has_value() != wants_effect) {
        reading.refuse("effect", wants_effect ? "a trial of kind fault or change needs one: write [effect]"
                                              : "only a trial of kind fault or change takes one");
    }
    if (reading.has("load") != (spec.kind == TrialKind::kLoad)) {
        reading.refuse("load", spec.kind == TrialKind::kLoad ? "a trial of kind load needs it: write [load]"
                                                             : "only a trial of kind load takes it");
    }
    if (spec.effect.has_value() && wants_effect) {
        const bool is_fault = model::class_of(*spec.effect) == model::EffectClass::kFault;
        if (is_fault != (spec.kind == TrialKind::kFault)) {
            reading.refuse("kind", is_fault ? "the effect is a fault: write kind = \"fault\""
                                            : "the effect is a change: write kind = \"change\"");
        }
    }
    const bool aims = std::ranges::any_of(spec.kpis, [](const auto& kpi) { return kpi.objective.has_value(); });
    if (spec.kind == TrialKind::kLoad && !aims) {
        reading.refuse("kpi", "a load trial needs an `objective` in at least one [[kpi]]");
    }
}
}  // namespace

void read_kpis(Reading& reading, std::string_view key, std::vector<model::KpiSpec>& into) {
    reading.tables(
        key,
        [&into](Reading& inner) {
            model::KpiSpec kpi;
            std::size_t name = 0;
            inner.word("name", name, kKpis, Need::kRequired);
            kpi.kpi = kKpis[name];
            inner.number("margin", kpi.margin, 0.001, 100);
            double objective = 0;
            inner.number("objective", objective, 0, 1e9);
            if (inner.has("objective")) kpi.objective = objective;
            if (std::ranges::find(into, kpi.kpi, &model::KpiSpec::kpi) != into.end()) {
                inner.refuse("name", "this KPI is there already");
            }
            into.push_back(std::move(kpi));
        },
        limits::kKpisPerVerdictMax);
}

void read_effect(Reading& reading, model::EffectSpec& into, bool own_lease) {
    static const std::vector<std::string_view> kinds{"domain.iotune", "domain.cputune", "ovs.partition"};
    std::size_t kind = 0;
    reading.word("kind", kind, kinds, Need::kRequired);
    seconds lease_max = limits::kLeaseMax;
    if (kind == 0) {
        model::IoTune tune;
        std::map<std::string, std::int64_t> values;
        reading.text("disk", tune.disk, Need::kRequired);
        reading.integers("limits", values, 0, limits::kTuningsMax, Need::kRequired);
        for (const auto& [name, value] : values)
            tune.limits[name] = static_cast<std::uint64_t>(value);
        into.action = std::move(tune);
    } else if (kind == 1) {
        model::CpuTune tune;
        // -1 lifts a quota.
        reading.integers("parameters", tune.parameters, -1, limits::kTuningsMax, Need::kRequired);
        into.action = std::move(tune);
    } else {
        model::Partition partition;
        reading.texts("interfaces", partition.interfaces, limits::kNicsPerVmMax);
        into.action = std::move(partition);
        lease_max = limits::kPartitionLeaseMax;
    }
    if (own_lease) reading.duration("lease", into.lease, limits::kLeaseMin, lease_max);
}

void read_conduct(Reading& reading, model::TrialSpec& into) {
    const auto phase = [&](std::string_view key, seconds& length, seconds low) {
        reading.duration(key, length, low, limits::kTrialPhaseMax);
    };
    reading.id("shadow", into.shadow, Need::kRequired);
    reading.id("control", into.control);
    reading.id("treated", into.treated);
    if (into.control == into.treated) reading.refuse("treated", "it must be another arm than `control`");
    phase("warm_up", into.warm_up, seconds(0));
    phase("baseline", into.baseline, seconds(0));
    phase("settle", into.settle, seconds(0));
    phase("measure", into.measure, seconds(1));
    reading.duration("window", into.window, milliseconds(100), seconds(60));
    if (into.window > into.measure || (into.baseline > seconds(0) && into.window > into.baseline)) {
        reading.refuse("window", "it must not be longer than `measure` and `baseline`");
    }
    reading.number("share", into.share, 0, 1);
    reading.number("confidence", into.confidence, 0.5, 0.9999);
    reading.number("power", into.power, 0.5, 0.9999);
    std::int64_t seed = 1;
    reading.integer("seed", seed, 0, std::numeric_limits<std::int64_t>::max());
    into.seed = static_cast<std::uint64_t>(seed);
    read_kpis(reading, "kpi", into.kpis);
    if (into.kpis.empty()) into.kpis.push_back({.kpi = std::string(kKpis[0])});
}

Result<model::TrialSpec> read_trial(std::string_view file, std::string_view toml) {
    const Document document = TRY(parse(file, toml));
    Reading reading(document);
    model::TrialSpec spec;
    read_name(reading, spec.trial);
    std::size_t kind = 0;
    reading.word("kind", kind, {"aa", "fault", "change", "load"}, Need::kRequired);
    spec.kind = static_cast<TrialKind>(kind);
    read_conduct(reading, spec);
    reading.table("effect", [&spec](Reading& inner) {
        model::EffectSpec effect;
        // Unless the file says otherwise it stands until the trial takes it back.
        effect.lease = std::clamp<seconds>(spec.settle + spec.measure + limits::kTrialLeaseSpare, limits::kLeaseMin,
                                           limits::kPartitionLeaseMax);
        read_effect(inner, effect, true);
        spec.effect = std::move(effect);
    });
    reading.table("load", [&spec](Reading& inner) { read_load(inner, spec); });
    check_kind(reading, spec);
    TRY(reading.finish());
    return spec;
}

}  // namespace penumbra::spec
