#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.hpp"

namespace penumbra::model {

enum class EffectClass : unsigned char { kFault, kChange, kHold };

/// What an effect works on: a production VM, or one arm of a shadow. Never both: the agent refuses a fault on
/// production.
struct EffectTarget {
    VmId vm;          ///< a VM of the group
    ShadowId shadow;  ///< empty: production
    ArmId arm;        ///< empty: production
    [[nodiscard]] bool is_production() const noexcept { return shadow.empty(); }
    friend auto operator<=>(const EffectTarget&, const EffectTarget&) = default;
};

/// `domain.iotune`: limits of one disk; libvirt's names (total_bytes_sec, total_iops_sec, ...), 0 lifts a limit.
struct IoTune {
    std::string disk;  ///< target name: "vda"
    std::map<std::string, std::uint64_t> limits;
    friend bool operator==(const IoTune&, const IoTune&) = default;
};

/// `domain.cputune`: scheduler parameters; libvirt's names (cpu_shares, vcpu_period, vcpu_quota, ...).
struct CpuTune {
    std::map<std::string, std::int64_t> parameters;
    friend bool operator==(const CpuTune&, const CpuTune&) = default;
};

/// `ovs.partition`: frames of these interfaces are dropped at the sandbox's switch; the flows carry their own
/// hard_timeout.
struct Partition {
    std::vector<std::string> interfaces;  ///< empty: every tap of the arm
    friend bool operator==(const Partition&, const Partition&) = default;
};

/// `backup.job`: libvirt's pull-mode backup job on a production VM while a generation is read.
struct BackupHold {
    std::string checkpoint;
    friend bool operator==(const BackupHold&, const BackupHold&) = default;
};

/// `mirror.port`: the Mirror row and reserved port on a production bridge.
struct MirrorHold {
    std::string bridge;
    std::string mirrored_port;
    friend bool operator==(const MirrorHold&, const MirrorHold&) = default;
};

/// One reversible action on one resource. What it does is in `action`; how long it may stand unconfirmed is its lease.
struct EffectSpec {
    EffectId id;
    EffectTarget target;
    std::chrono::seconds lease{60};
    std::variant<IoTune, CpuTune, Partition, BackupHold, MirrorHold> action;
    friend bool operator==(const EffectSpec&, const EffectSpec&) = default;
};

/// The word of an action's kind, as TOML, policy and CLI write it: "domain.iotune", "ovs.partition", ...
[[nodiscard]] std::string_view kind_of(const EffectSpec& spec) noexcept;
[[nodiscard]] EffectClass class_of(const EffectSpec& spec) noexcept;

/// Where an effect stands on its host. kConflict: somebody changed it since; nothing was overwritten.
enum class EffectState : unsigned char {
    kIntended,
    kArmed,
    kApplied,
    kVerified,
    kConfirmed,
    kReverting,
    kReverted,
    kConflict,
    kFailed
};
[[nodiscard]] std::string_view to_string(EffectState state) noexcept;

struct EffectStatus {
    EffectId id;
    EffectState state = EffectState::kIntended;
    std::string before_hash;  ///< SHA-256, hex (design D18)
    std::string after_hash;
    std::string reason;                 ///< one sentence
    std::vector<std::string> evidence;  ///< one sentence each: what shows that it bites, or that it is gone
    friend bool operator==(const EffectStatus&, const EffectStatus&) = default;
};

}  // namespace penumbra::model
