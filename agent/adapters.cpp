#include "agent/adapters.hpp"

#include <random>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/look_around.hpp"
#include "agent/serving_check.hpp"
#include "effects/places.hpp"
#include "hypervisor/shadow_domain.hpp"
#include "netisolate/probe/isolation_probe.hpp"
#include "proto/spec/policy_file.hpp"

namespace penumbra::agent {

namespace {

/// 16 bytes nobody can guess (std::random_device is getrandom(2) here).
Result<std::string> new_key() {
    std::random_device random;
    std::string key;
    for (int word = 0; word < 4; ++word)
        key += fmt::format("{:08x}", random());
    return key;
}

}  // namespace

Result<std::unique_ptr<Adapters>> Adapters::open(const Folders& folders, const Clock& clock) {
    auto journal = TRY(journal::PosixDirectory::open(folders.journal));
    Disk disk{.lock = TRY(journal::Lock::acquire(folders.journal, journal::Role::kAgent)),
              .journal = std::move(journal),
              .commands = TRY(journal::PosixDirectory::open(folders.commands)),
              .shadows = TRY(journal::PosixDirectory::open(folders.shadows)),
              .boot_id = TRY(journal::current_boot_id())};
    return std::unique_ptr<Adapters>(new Adapters(folders, clock, std::move(disk)));
}

Adapters::Adapters(Folders folders, const Clock& clock, Disk disk)
    : folders_(std::move(folders)),
      clock_(clock),
      lock_(std::move(disk.lock)),
      journal_folder_(std::move(disk.journal)),
      commands_(std::move(disk.commands)),
      shadows_(std::move(disk.shadows)),
      boot_id_(std::move(disk.boot_id)),
      libvirt_(effects::places::kLibvirt),
      target_(folders_.replicas),
      arms_replicas_(folders_.replicas),
      arms_(folders_.arms, arms_replicas_),
      shadows_links_(folders_.spaces),
      watch_links_(folders_.spaces),
      effects_links_(folders_.spaces),
      desk_(backup_, folders_.scratch),
      backup_hold_(backup_, folders_.backups,
                   [this](const model::EffectSpec& hold, const std::filesystem::path& socket) {
                       return desk_.begin(hold, socket);
                   }),
      dead_man_(effects_units_, effects::places::revert_program(), folders_.journal),
      engine_(
          {.journal = journal_, .dead_man = dead_man_, .clock = clock_, .catalogue = catalogue_, .boot_id = boot_id_}) {
}

Result<void> Adapters::remove_replicas() const {
    Result<void> all = desk_.clear_scratch();
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folders_.replicas, error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code kept;
        std::filesystem::remove_all(entry->path(), kept);
        if (kept) also(all, fail_errno(kept.value(), fmt::format("removing {}", entry->path().native())));
    }
    if (error) also(all, fail_errno(error.value(), fmt::format("listing {}", folders_.replicas.native())));
    return all;
}

Flows::Ports Adapters::ports(const std::filesystem::path& policy) {
    return {
        .inventory = inventory_,
        .backup = backup_,
        .domains = domains_,
        .tuning = tuning_,
        .sources = sources_,
        .target = target_,
        .storage = arms_,
        .shadows_switch = shadows_switch_,
        .shadows_links = shadows_links_,
        .watch_switch = watch_switch_,
        .watch_links = watch_links_,
        .shadows_units = shadows_units_,
        .captures_units = captures_units_,
        .engine = engine_,
        .desk = desk_,
        .shadow_records = *shadows_,
        .clock = clock_,
        .look_around =
            [this] {
                return look_around({.reverter = effects::places::revert_program(),
                                    .replicas = folders_.replicas,
                                    .backups = folders_.backups},
                                   inventory_switch_);
            },
        .drafting = {.boot_files = hypervisor::boot_files_in, .domain = hypervisor::shadow_domain},
        .answers = [folder = folders_.spaces](const std::string& space,
                                              const std::string& server) { return is_served(folder / space, server); },
        .probe =
            [this](const netisolate::IsolationPlan& sandbox) {
                return netisolate::probe_isolation(
                    sandbox, {.control = shadows_switch_, .links = shadows_links_, .spaces = folders_.spaces});
            },
        .scratch_room = [folder = folders_.scratch] { return disk_room(folder); },
        .pause = pause,
        .new_key = new_key,
        .remove_replicas = [this] { return remove_replicas(); },
        .policy = [policy] { return spec::load_policy(policy); }};
}

}  // namespace penumbra::agent
