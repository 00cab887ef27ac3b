#pragma once

#include <cstdint>

#include "effects/effect.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::effects {

/// `ovs.partition`: drop rules above all others on an arm's own bridge, with a cookie of the effect's own. Open vSwitch
/// takes them away by itself when the lease ends (hard_timeout), whoever of us lives. Without interfaces: every port
/// of the bridge, nothing passes; with some: what these send is dropped. A bridge that is gone: nothing stands.
class PartitionFault final : public Effect {
 public:
    explicit PartitionFault(netisolate::SwitchControl& control) : control_(control) {}

    [[nodiscard]] std::string_view kind() const override { return "ovs.partition"; }
    [[nodiscard]] Share share() const override { return Share::kWhole; }
    [[nodiscard]] Result<Image> read(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Image> intend(const model::EffectSpec& spec, const Site& site, const Image& before) override;
    [[nodiscard]] Result<void> write(const model::EffectSpec& spec, const Site& site, Layer layer,
                                     const Values& values) override;
    [[nodiscard]] Result<std::string> fingerprint(const model::EffectSpec& spec, const Site& site) override;
    /// {"dropped_frames": frames the rules have dropped so far}.
    [[nodiscard]] Result<Values> evidence(const model::EffectSpec& spec, const Site& site) override;

    /// The cookie of an effect's rules: our tag, then 48 bits of the SHA-256 of its name.
    [[nodiscard]] static std::uint64_t cookie_of(const EffectId& id);

 private:
    netisolate::SwitchControl& control_;
};

}  // namespace penumbra::effects
