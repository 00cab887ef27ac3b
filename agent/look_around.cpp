#include "agent/look_around.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/disk_room.hpp"
#include "base/durable_file.hpp"
#include "base/limits/flows.hpp"
#include "effects/places.hpp"

namespace penumbra::agent {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        entries.push_back(entry->path());
    return entries;
}

/// Debian's VMs are confined by this abstraction, which takes in what root of the host adds.
constexpr const char* kVmRules = "abstractions/libvirt-qemu";

bool vms_are_confined(const SightPlaces& places) {
    const Result<std::string> enabled = read_file(places.apparmor_switch, limits::kSmallFileBytesMax);
    std::error_code error;
    return enabled.has_value() && enabled->starts_with('Y') && fs::exists(places.apparmor_rules / kVmRules, error);
}

bool backups_are_allowed(const SightPlaces& places) {
    std::vector<fs::path> files = entries_of(places.apparmor_rules / (std::string(kVmRules) + ".d"));
    files.push_back(places.apparmor_rules / kVmRules);
    files.push_back(places.apparmor_rules / "local" / kVmRules);
    return std::ranges::any_of(files, [&](const fs::path& file) {
        const Result<std::string> rules = read_file(file, limits::kApparmorFileBytesMax);
        return rules.has_value() && rules_name(*rules, places.backups.native());
    });
}

/// VMs with a generation, whose folders are numbered.
std::set<VmId> replicated_in(const fs::path& replicas) {
    std::set<VmId> vms;
    for (const fs::path& folder : entries_of(replicas)) {
        const std::vector<fs::path> generations = entries_of(folder);
        const bool any = std::ranges::any_of(generations, [](const fs::path& generation) {
            const std::string name = generation.filename().native();
            return std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
        });
        if (any) vms.insert(VmId(folder.filename().native()));
    }
    return vms;
}

}  // namespace

bool rules_name(std::string_view rules, std::string_view folder) {
    while (!rules.empty()) {
        const std::string_view line = rules.substr(0, rules.find('\n'));
        rules.remove_prefix(std::min(line.size() + 1, rules.size()));
        if (line.substr(0, line.find('#')).find(folder) != std::string_view::npos) return true;
    }
    return false;
}

HostSight look_around(const SightPlaces& places, netisolate::SwitchControl& control) {
    HostSight sight;
    Result<std::string> version = control.version();
    if (version.has_value()) {
        sight.switch_version = std::move(*version);
    } else {
        sight.switch_silent = version.error().describe();
    }
    if (const Result<void> runs = effects::places::check_reverter(places.reverter); !runs.has_value())
        sight.reverter_missing = runs.error().describe();
    sight.apparmor_confines = vms_are_confined(places);
    sight.apparmor_allows_backups = backups_are_allowed(places);
    if (const Result<DiskRoom> room = disk_room(places.replicas); room.has_value()) sight.room = spare_of(*room);
    sight.replicated = replicated_in(places.replicas);
    return sight;
}

}  // namespace penumbra::agent
