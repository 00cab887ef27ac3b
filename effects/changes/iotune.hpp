#pragma once

#include "effects/effect.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::effects {

/// `domain.iotune`: limits of one disk, always written as the complete vector: libvirt resets the other two
/// limits of a category when one of them is set alone (virsh(1), blkdeviotune).
class IoTuneChange final : public Effect {
 public:
    explicit IoTuneChange(hypervisor::DomainTuning& tuning) : tuning_(tuning) {}

    [[nodiscard]] std::string_view kind() const override { return "domain.iotune"; }
    [[nodiscard]] Share share() const override { return Share::kValues; }
    [[nodiscard]] Result<Image> read(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Image> intend(const model::EffectSpec& spec, const Site& site, const Image& before) override;
    [[nodiscard]] Result<void> write(const model::EffectSpec& spec, const Site& site, Layer layer,
                                     const Values& values) override;
    [[nodiscard]] Result<std::string> fingerprint(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Values> evidence(const model::EffectSpec& spec, const Site& site) override;

 private:
    hypervisor::DomainTuning& tuning_;
};

}  // namespace penumbra::effects
