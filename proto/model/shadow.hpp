#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/units.hpp"

namespace penumbra::model {

struct ShadowSpec {
    ShadowId shadow;
    GroupId group;
    double scale = 1;         ///< 0 < scale <= 1: vCPUs, quota, memory above the floor
    std::vector<ArmId> arms;  ///< 1..n; "control", "treated"
    friend bool operator==(const ShadowSpec&, const ShadowSpec&) = default;
};

enum class ArmState : unsigned char { kBuilding, kBooting, kServing, kSevered, kGone };
[[nodiscard]] std::string_view to_string(ArmState state) noexcept;

struct ArmStatus {
    ArmId arm;
    ArmState state = ArmState::kBuilding;
    std::string domain;  ///< libvirt name of the clone
    std::string bridge;  ///< its sandbox's own
    std::uint32_t vcpus = 0;
    Bytes memory;
    std::string reason;  ///< one sentence: why severed, or what it waits for
    friend bool operator==(const ArmStatus&, const ArmStatus&) = default;
};

struct ShadowStatus {
    ShadowSpec spec;
    std::uint64_t generation = 0;  ///< the replica generation its overlays stand on
    std::vector<ArmStatus> arms;
    std::vector<std::string> fidelity_gaps;  ///< one sentence each: how it differs from production
    friend bool operator==(const ShadowStatus&, const ShadowStatus&) = default;
};

}  // namespace penumbra::model
