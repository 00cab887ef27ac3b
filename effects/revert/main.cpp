// penumbra-revert: undoes one effect whose lease has run out, with nobody's help. PID 1 starts it (a transient timer
// that the agent armed before it touched anything) and starts it again until it succeeds. It needs neither agent nor
// coordinator, and kills an agent that still holds the journal then: see docs/modules/effects.md.

#include <csignal>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>

#include "base/log.hpp"
#include "effects/changes/cputune.hpp"
#include "effects/changes/iotune.hpp"
#include "effects/faults/partition.hpp"
#include "effects/holds/backup_job.hpp"
#include "effects/holds/mirror_port.hpp"
#include "effects/places.hpp"
#include "effects/revert/revert.hpp"
#include "hypervisor/libvirt/backup.hpp"
#include "hypervisor/libvirt/tuning.hpp"
#include "journal/posix_directory.hpp"
#include "netisolate/netlink/netlink_links.hpp"
#include "netisolate/ovs/ovs_switch.hpp"

namespace penumbra::effects {
namespace {

Result<std::string> revert(const EffectId& id, const std::filesystem::path& folder) {
    const auto directory = TRY(journal::PosixDirectory::open(folder));
    journal::Journal journal(*directory);
    hypervisor::libvirt::Connection libvirt(places::kLibvirt);
    hypervisor::libvirt::LibvirtTuning tuning(libvirt);
    hypervisor::libvirt::LibvirtBackup backups(libvirt);
    netisolate::OvsSwitch control;
    netisolate::NetlinkLinks links;
    CpuTuneChange cputune(tuning);
    IoTuneChange iotune(tuning);
    PartitionFault partition(control);
    BackupJobHold backup_job(backups, places::kBackups);
    MirrorPortHold mirror_port(control, links);
    const Catalogue catalogue{cputune, iotune, partition, backup_job, mirror_port};
    const SystemClock clock;
    std::optional<journal::Lock> lock;
    const Reverter reverter{.journal = journal,
                            .catalogue = catalogue,
                            .clock = clock,
                            .boot_id = TRY(journal::current_boot_id()),
                            .take_lock = [&]() -> Result<std::string> {
                                journal::Lock::TakenOver taken = TRY(journal::Lock::take_over(folder));
                                std::string about_agent = describe(taken);
                                lock.emplace(std::move(taken.lock));
                                return about_agent;
                            }};
    return run_revert(reverter, id);
}

}  // namespace
}  // namespace penumbra::effects

int main(int argc, char** argv) {
    // A libvirtd that dies is an error of the call, not the end of this process.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
    if (words.size() != 4 || std::string_view(words[1]) != "--journal" ||
        !penumbra::EffectId::parse(words[3]).has_value()) {
        std::fprintf(stderr, "usage: penumbra-revert --journal FOLDER EFFECT\n");
        return 2;
    }
    const penumbra::EffectId id(words[3]);
    const penumbra::Result<std::string> done = penumbra::effects::revert(id, words[2]);
    if (!done.has_value()) {
        penumbra::log::error("revert.failed", done.error(), {{"EFFECT", id.text()}});
        return 1;
    }
    penumbra::log::event(penumbra::log::Level::kNotice, "revert.done", *done, {{"EFFECT", id.text()}});
    return 0;
}
