#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "proto/model/host.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::agent {

/// What adapters see of this host beside its VMs. The reasons are sentences; empty: it answers, or can be run.
struct HostSight {
    std::string switch_version;            ///< "ovs-vswitchd (Open vSwitch) 3.1.0"
    std::string switch_silent;             ///< why Open vSwitch does not answer
    std::string reverter_missing;          ///< why penumbra-revert cannot be run
    bool apparmor_confines = false;        ///< AppArmor is on, and has rules for VMs
    bool apparmor_allows_backups = false;  ///< they name the folder of our backup sockets
    std::optional<Bytes> room;  ///< where replicas are, above what stays production's; unknown: nothing is said
    std::set<VmId> replicated;  ///< VMs with a copy on this host
};

enum class Severity : unsigned char { kHint, kError };

/// One thing an operator should know before anything is tried.
struct Check {
    Severity severity = Severity::kHint;
    std::string sentence;  ///< what is so, without a full stop
    std::string remedy;    ///< what to do about it, likewise
    friend bool operator==(const Check&, const Check&) = default;
};
/// "SENTENCE: REMEDY", as people read it.
[[nodiscard]] std::string text_of(const Check& check);

/// What is wrong on this host (kError), and what will be refused or missed there (kHint), most urgent first. `facts`
/// are empty where libvirtd does not say; `served`: VMs that services.toml names, by name or UUID. Pure.
[[nodiscard]] std::vector<Check> checks_of(const model::Policy& policy, const model::HostFacts& facts,
                                           const std::set<std::string>& served, const HostSight& sight);

}  // namespace penumbra::agent
