// What an agent does to a production VM, and nothing else of one: takes the journal, changes the VM for a lease, and
// then does not act any more. For test_orphan_revert.
//
//   orphan_driver FOLDER VM hash           prints the hash of the VM's configuration and live parameters
//   orphan_driver FOLDER VM arm SECONDS    effects "orphan:io" and "orphan:cpu"; prints "armed" and waits to be killed
//   orphan_driver FOLDER VM tell EFFECT    prints state and reason of an effect, as the journal has them
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "effects/changes/cputune.hpp"
#include "effects/changes/domain_vectors.hpp"
#include "effects/changes/iotune.hpp"
#include "effects/engine.hpp"
#include "effects/places.hpp"
#include "effects/timer_dead_man.hpp"
#include "hypervisor/libvirt/tuning.hpp"
#include "journal/lock.hpp"
#include "journal/posix_directory.hpp"
#include "systemd/bus_unit_control.hpp"

namespace penumbra::effects {
namespace {

struct Asked {
    std::filesystem::path folder;
    VmId vm;
    std::string verb;
    std::string argument;
};

Order order(const char* id, const Asked& asked, decltype(model::EffectSpec::action) action) {
    return {.spec = {.id = EffectId(id),
                     .target = {.vm = asked.vm},
                     .lease = std::chrono::seconds(std::stoi(asked.argument)),
                     .action = std::move(action)},
            .epoch = Epoch(1),
            .command = CommandId(id)};
}

Result<void> arm(const Asked& asked, journal::Journal& journal, hypervisor::DomainTuning& tuning) {
    const journal::Lock lock = TRY(journal::Lock::acquire(asked.folder, journal::Role::kAgent));
    systemd::BusUnitControl units;
    TimerDeadMan dead_man(units, places::revert_program(), asked.folder);
    IoTuneChange iotune(tuning);
    CpuTuneChange cputune(tuning);
    const Catalogue catalogue{iotune, cputune};
    const SystemClock clock;
    Engine engine({.journal = journal,
                   .dead_man = dead_man,
                   .clock = clock,
                   .catalogue = catalogue,
                   .boot_id = TRY(journal::current_boot_id())});
    TRY(engine.recover());
    Premises premises;
    premises.policy.ceiling = model::Ceiling::kChange;
    premises.policy.vms.insert("*");
    premises.policy.effect_kinds.insert("*");
    premises.vms.push_back({.vm = asked.vm, .name = "shop", .site = {.domain = asked.vm.text()}});
    TRY(engine.apply(order("orphan:io", asked, model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}}),
                     premises));
    TRY(engine.apply(order("orphan:cpu", asked, model::CpuTune{.parameters = {{"vcpu_quota", 50'000}}}), premises));
    std::puts("armed");
    std::fflush(stdout);
    ::pause();
    return fail(ErrorCode::kInternal, "nobody killed or stopped this program");
}

Result<void> run(const Asked& asked) {
    const auto directory = TRY(journal::PosixDirectory::open(asked.folder));
    journal::Journal journal(*directory);
    if (asked.verb == "tell") {
        const journal::Entry entry = TRY(journal.get(EffectId(asked.argument)));
        fmt::print("{} {}\n", model::to_string(entry.state), entry.reason);
        return {};
    }
    hypervisor::libvirt::Connection libvirt(places::kLibvirt);
    hypervisor::libvirt::LibvirtTuning tuning(libvirt);
    if (asked.verb == "hash") {
        fmt::print("{}\n", TRY(domain_fingerprint(tuning, asked.vm.text())));
        return {};
    }
    return arm(asked, journal, tuning);
}

}  // namespace
}  // namespace penumbra::effects

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() < 4) return 2;
    const auto done = penumbra::effects::run({.folder = words[1],
                                              .vm = penumbra::VmId(words[2]),
                                              .verb = words[3],
                                              .argument = words.size() > 4 ? words[4] : ""});
    if (done.has_value()) return 0;
    fmt::print(stderr, "orphan_driver: {}\n", done.error().describe());
    return 1;
}
