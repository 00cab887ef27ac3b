#pragma once

#include "effects/effect.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::effects {

/// `mirror.port`: the Mirror row, its reserved port and the veth to the capture's namespace, on a production bridge.
/// All of it is marked with the effect's id (netisolate::MirrorSpec::owner), found by that mark and taken away by it:
/// a dead agent leaves no copy of production's traffic running. Only a port of the target VM itself is mirrored.
class MirrorPortHold final : public Effect {
 public:
    MirrorPortHold(netisolate::SwitchControl& control, netisolate::LinkControl& links)
        : control_(control), links_(links) {}

    [[nodiscard]] std::string_view kind() const override { return "mirror.port"; }
    [[nodiscard]] Share share() const override { return Share::kWhole; }
    [[nodiscard]] Result<Image> read(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Image> intend(const model::EffectSpec& spec, const Site& site, const Image& before) override;
    [[nodiscard]] Result<void> write(const model::EffectSpec& spec, const Site& site, Layer layer,
                                     const Values& values) override;
    [[nodiscard]] Result<std::string> fingerprint(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Values> evidence(const model::EffectSpec& spec, const Site& site) override;

 private:
    netisolate::SwitchControl& control_;
    netisolate::LinkControl& links_;
};

}  // namespace penumbra::effects
