#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
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

/// What an isolation probe of one arm saw: a corpus of hostile frames was sent from its sandbox while production's
/// ports and the host's own interfaces were listened to, and once more on a bridge without isolation, where it must be
/// seen.
struct IsolationReport {
    ShadowId shadow;
    ArmId arm;
    WallTime at{};
    std::uint64_t corpus_frames = 0;
    std::uint64_t seen_on_production = 0;
    std::uint64_t positive_control_seen = 0;
    std::vector<std::string> listened_on;  ///< interfaces
    std::string reason;                    ///< one sentence: what was seen where, or that nothing was
    friend bool operator==(const IsolationReport&, const IsolationReport&) = default;
};

}  // namespace penumbra::model
