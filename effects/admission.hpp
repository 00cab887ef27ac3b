#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "journal/entry.hpp"
#include "proto/model/effect.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::effects {

/// Something of this host an effect can be done to, as its adapters saw it just now.
struct ProductionVm {
    VmId vm;
    std::string name;
    std::string managed_by;  ///< "OpenStack Nova": then it is never changed (design D20); empty: nobody
    journal::Site site;
};
struct SandboxedArm {
    ShadowId shadow;
    ArmId arm;
    journal::Site site;
};
struct Premises {
    model::Policy policy;
    std::vector<ProductionVm> vms;
    std::vector<SandboxedArm> arms;
};

/// The host's own last word (design D14), whoever signed the order: resolves the target to what stands here, or
/// refuses. A fault is done only inside a sandbox of ours, on its own bridge and taps; a change never to a VM that
/// belongs to another manager. Pure.
[[nodiscard]] Result<journal::Site> admit(const model::EffectSpec& spec, const Premises& premises);

}  // namespace penumbra::effects
