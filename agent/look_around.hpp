#pragma once

#include <filesystem>
#include <string_view>

#include "agent/core/host_checks.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::agent {

/// Where what a host check wants to know stands on this host.
struct SightPlaces {
    std::filesystem::path reverter;
    std::filesystem::path replicas;  ///< ROOT/VM/GENERATION
    std::filesystem::path backups;   ///< "/run/penumbra/backup", as AppArmor's rules name it
    std::filesystem::path apparmor_switch = "/sys/module/apparmor/parameters/enabled";
    std::filesystem::path apparmor_rules = "/etc/apparmor.d";
};

/// Looks, changes nothing. What cannot be looked at is left as HostSight has it. Blocks; thread-bound as the switch is.
[[nodiscard]] HostSight look_around(const SightPlaces& places, netisolate::SwitchControl& control);

/// Whether rules of AppArmor's name a folder, comments left out. Pure.
[[nodiscard]] bool rules_name(std::string_view rules, std::string_view folder);

}  // namespace penumbra::agent
