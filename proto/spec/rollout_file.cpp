#include "proto/spec/rollout_file.hpp"

#include "base/limits/coordinator.hpp"
#include "base/limits/effects.hpp"
#include "base/limits/wire.hpp"
#include "proto/spec/trial_keys.hpp"

namespace penumbra::spec {

namespace {
void read_waves(Reading& reading, model::RolloutSpec& spec) {
    std::vector<std::vector<std::string>> waves;
    reading.text_lists("waves", waves, limits::kWavesMax, limits::kRolloutTargetsMax);
    std::size_t targets = 0;
    for (const auto& wave : waves) {
        if (wave.empty()) reading.refuse("waves", "a wave names at least one VM");
        std::vector<VmId>& vms = spec.waves.emplace_back();
        for (const std::string& name : wave) {
            Result<VmId> vm = VmId::parse(name);
            if (!vm.has_value()) return reading.refuse("waves", vm.error().message);
            vms.push_back(std::move(*vm));
        }
        targets += wave.size();
    }
    if (targets > limits::kRolloutTargetsMax) reading.refuse("waves", "they name too many VMs");
}
}  // namespace

Result<model::RolloutSpec> read_rollout(std::string_view file, std::string_view toml) {
    const Document document = TRY(parse(file, toml));
    Reading reading(document);
    model::RolloutSpec spec;
    reading.id("name", spec.rollout, Need::kRequired);
    if (spec.rollout.text().size() > limits::kNameBytesMax) reading.refuse("name", "it is longer than 40 characters");
    reading.id("group", spec.group, Need::kRequired);
    reading.table(
        "change",
        [&spec](Reading& inner) {
            read_effect(inner, spec.change, false);
            if (model::class_of(spec.change) != model::EffectClass::kChange) {
                inner.refuse("kind", "only a change may reach production: domain.iotune or domain.cputune");
            }
        },
        Need::kRequired);
    reading.flag("rollback_drill", spec.rollback_drill);
    reading.duration("lease", spec.lease, limits::kLeaseMin, limits::kLeaseMax);
    reading.duration("verify", spec.verify, std::chrono::seconds(1), limits::kLeaseMax);
    if (spec.verify >= spec.lease) {
        reading.refuse("verify",
                       "it must be shorter than `lease`: the change is undone when its lease ends unconfirmed");
    }
    std::size_t confirm_by = 0;
    reading.word("confirm_by", confirm_by, {"coordinator", "operator"});
    spec.confirm_by = static_cast<model::ConfirmBy>(confirm_by);
    read_waves(reading, spec);
    reading.table("trial", [&spec](Reading& inner) { read_conduct(inner, spec.trial); }, Need::kRequired);
    read_kpis(reading, "guard", spec.guards);
    TRY(reading.finish());
    spec.change.lease = spec.lease;
    spec.trial.kind = model::TrialKind::kChange;
    spec.trial.effect = spec.change;
    return spec;
}

}  // namespace penumbra::spec
