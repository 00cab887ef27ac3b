// penumbra-revert: undoes effects whose lease has run out, with nobody's help: see docs/modules/effects.md. It needs
// neither agent nor coordinator. PID 1 starts it:
//   EFFECT  a transient timer that the agent armed before it touched anything: tries until it succeeds, ever more
//           rarely, and kills an agent that still holds the journal; PID 1 starts it again should it die over it
//   --all   after a boot, which timers do not survive: tries for kRevertAllMax; leaves a running agent its work

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

constexpr std::string_view kAll = "--all";  // no effect's name: those begin with a letter or a digit
constexpr auto kAttemptSeconds = static_cast<unsigned>(std::chrono::seconds(limits::kRevertAttemptMax).count());

void tell(const EffectId& id, const std::string& done) {
    log::event(log::Level::kNotice, "revert.done", done, {{"EFFECT", id.text()}});
}

/// Everything real, for one attempt.
Result<std::string> with_reverter(const std::filesystem::path& folder,
                                  const std::function<Result<std::string>()>& take_lock,
                                  const std::function<Result<std::string>(const Reverter&)>& work) {
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
    return work({.journal = journal,
                 .catalogue = catalogue,
                 .clock = clock,
                 .boot_id = TRY(journal::current_boot_id()),
                 .take_lock = take_lock});
}

/// The journal's lock is had during an attempt only: an agent that comes back in between takes it and undoes the
/// effect.
Result<std::string> revert(const EffectId& id, const std::filesystem::path& folder) {
    std::optional<journal::Lock> lock;
    const auto take_lock = [&]() -> Result<std::string> {
        journal::Lock::TakenOver taken = TRY(journal::Lock::take_over(folder));
        std::string about_agent = describe(taken);
        lock.emplace(std::move(taken.lock));
        return about_agent;
    };
    return with_reverter(folder, take_lock, [&id](const Reverter& reverter) { return run_revert(reverter, id); });
}

Result<std::string> revert_all(const std::filesystem::path& folder) {
    std::optional<journal::Lock> lock;
    const auto take_lock = [&]() -> Result<std::string> {
        // An agent that runs does the same, and each effect of this boot has a dead-man of its own: nobody is killed.
        if (!lock.has_value()) lock.emplace(TRY(journal::Lock::acquire(folder, journal::Role::kReverter)));
        return std::string();
    };
    return with_reverter(folder, take_lock, [](const Reverter& reverter) { return run_revert_all(reverter, tell); });
}

/// There is nothing to wait on: what an attempt lacks may be anything of this host's. On the clock that a sleeping
/// host's time counts on, as leases do.
void wait(const std::string& effect, const Error& error, std::chrono::milliseconds time) {
    log::error("revert.failed", error, {{"EFFECT", effect}, {"AGAIN_IN_MS", std::to_string(time.count())}});
    const timespec pause{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
    static_cast<void>(::clock_nanosleep(CLOCK_BOOTTIME, 0, &pause, nullptr));  // cut short: tried sooner
}

/// libvirt and Open vSwitch have no deadline of their own: SIGALRM ends the process, PID 1 starts the next one.
template <class Work>
Result<std::string> attempt(Work work) {
    static_cast<void>(::alarm(kAttemptSeconds));
    Result<std::string> done = work();
    static_cast<void>(::alarm(0));
    return done;
}

Result<std::string> run(const std::string& what, const std::filesystem::path& folder) {
    Random random(static_cast<std::uint64_t>(::getpid()));
    if (what == kAll) {
        const Instant give_up = BootClock::now() + limits::kRevertAllMax;
        return keep_trying([&] { return attempt([&] { return revert_all(folder); }); },
                           [&](const Error& error, std::chrono::milliseconds time) {
                               if (BootClock::now() + time >= give_up) return false;
                               wait(what, error, time);
                               return true;
                           },
                           random);
    }
    const EffectId id(what);
    return keep_trying([&] { return attempt([&] { return revert(id, folder); }); },
                       [&](const Error& error, std::chrono::milliseconds time) {
                           wait(what, error, time);
                           return true;
                       },
                       random);
}

}  // namespace
}  // namespace penumbra::effects

int main(int argc, char** argv) {
    // A libvirtd that dies is an error of the call, not the end of this process.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() != 4 || words[1] != "--journal" ||
        (words[3] != penumbra::effects::kAll && !penumbra::EffectId::parse(words[3]).has_value())) {
        std::fprintf(stderr, "usage: penumbra-revert --journal FOLDER EFFECT|--all\n");
        return 2;
    }
    const penumbra::Result<std::string> done = penumbra::effects::run(words[3], words[2]);
    if (!done.has_value()) {
        penumbra::log::error("revert.left", done.error(), {{"EFFECT", words[3]}});
        return 1;
    }
    penumbra::log::event(penumbra::log::Level::kNotice, "revert.done", *done, {{"EFFECT", words[3]}});
    return 0;
}
