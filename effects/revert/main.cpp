// penumbra-revert: undoes one effect whose lease has run out, with nobody's help. PID 1 starts it (a transient timer
// that the agent armed before it touched anything). It tries until it succeeds, ever more rarely, and PID 1 starts it
// again should it die over it. It needs neither agent nor coordinator, and kills an agent that still holds the journal
// then: see docs/modules/effects.md.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <optional>
#include <span>
#include <string_view>

#include <unistd.h>

#include "base/limits/effects.hpp"
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

constexpr auto kAttemptSeconds = static_cast<unsigned>(std::chrono::seconds(limits::kRevertAttemptMax).count());

/// The journal's lock is had during an attempt only: an agent that comes back in between takes it and undoes the
/// effect.
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
    const auto attempt = [&] {
        // libvirt and Open vSwitch have no deadline of their own: SIGALRM ends the process, PID 1 starts the next one.
        static_cast<void>(::alarm(penumbra::effects::kAttemptSeconds));
        penumbra::Result<std::string> done = penumbra::effects::revert(id, words[2]);
        static_cast<void>(::alarm(0));
        return done;
    };
    const auto wait = [&id](const penumbra::Error& error, std::chrono::milliseconds time) {
        penumbra::log::error("revert.failed", error,
                             {{"EFFECT", id.text()}, {"AGAIN_IN_MS", std::to_string(time.count())}});
        // There is nothing to wait on: what it lacks may be anything of this host's. On the clock that a sleeping
        // host's time counts on, as leases do.
        const timespec pause{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
        static_cast<void>(::clock_nanosleep(CLOCK_BOOTTIME, 0, &pause, nullptr));  // cut short: tried sooner
    };
    penumbra::Random random(static_cast<std::uint64_t>(::getpid()));
    const std::string done = penumbra::effects::keep_trying(attempt, wait, random);
    penumbra::log::event(penumbra::log::Level::kNotice, "revert.done", done, {{"EFFECT", id.text()}});
    return 0;
}
