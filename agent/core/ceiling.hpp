#pragma once

#include <optional>
#include <string>

#include "proto/model/command.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::agent {

/// What the host knows of itself when it decides.
struct OnThisHost {
    const model::Policy& policy;
    const model::HostFacts& facts;
    const std::vector<model::ShadowStatus>& shadows;
    const std::vector<model::EffectStatus>& effects;
};

struct Refusal {
    model::Rejection rejection = model::Rejection::kPolicy;
    std::string message;  ///< one sentence
};

/// Whether root lets this VM take part, by its name or UUID. Pure.
[[nodiscard]] bool takes_part(const model::Policy& policy, const model::VmFacts& vm);

/// Whether the operation puts something of ours on the host, or lets it stay there. Pure.
[[nodiscard]] bool puts_on_host(const model::Operation& operation) noexcept;

/// Why root does not let this VM's volumes be copied; empty: they may be. Pure.
[[nodiscard]] std::string why_not_copied(const model::Policy& policy, const model::VmFacts& vm);

/// Design D14: the host decides. Nothing if the operation stays under root's ceiling; else why not. Pure.
/// A fault outside a sandbox of ours is refused whatever the policy says, and so is a hold: holds are the host's own.
[[nodiscard]] std::optional<Refusal> refusal_of(const model::Operation& operation, const OnThisHost& host);

}  // namespace penumbra::agent
