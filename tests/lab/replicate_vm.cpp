// Makes one generation of a VM of this host's libvirt as the agent does, and lets tools that owe us nothing compare it
// with the frozen export while the job is still open. Prints one JSON line. For lab tests and figures.
// usage: replicate_vm VM REPLICAS SCRATCH   (folders that exist; SCRATCH writable for QEMU's user)

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "hypervisor/libvirt/backup.hpp"
#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/libvirt/inventory.hpp"
#include "hypervisor/nbd/nbd_source.hpp"
#include "hypervisor/replica_folder.hpp"
#include "hypervisor/replicator.hpp"
#include "tests/support/child_process.hpp"

namespace penumbra::hypervisor {
namespace {

double cpu_seconds(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Peer {
    bool same = false;
    double nbdcopy_cpu_s = 0;
    std::uint64_t nbdcopy_bytes = 0;
};

/// qemu-img reads the frozen export and the layer by its own code; nbdcopy copies the same export for comparison.
Peer ask_peers(const BackupJob& job, const std::string& disk, const std::filesystem::path& layer,
               const std::filesystem::path& scratch) {
    const std::string uri = fmt::format("nbd+unix:///{}?socket={}", disk, job.socket.native());
    Peer peer;
    peer.same = testing::run_tool({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", uri, layer}) == 0 &&
                testing::run_tool({"qemu-img", "check", "-q", "-f", "qcow2", layer}) == 0;
    const std::string copied = scratch / "nbdcopy.raw";
    const double before = cpu_seconds(RUSAGE_CHILDREN);
    if (testing::run_tool({"nbdcopy", uri, copied}) == 0) {
        peer.nbdcopy_cpu_s = cpu_seconds(RUSAGE_CHILDREN) - before;
        struct stat facts{};
        if (::stat(copied.c_str(), &facts) == 0) peer.nbdcopy_bytes = static_cast<std::uint64_t>(facts.st_blocks) * 512;
    }
    std::filesystem::remove(copied);
    return peer;
}

Result<void> make_generation(const std::string& name, const std::filesystem::path& replicas,
                             const std::filesystem::path& scratch) {
    libvirt::Connection connection("qemu:///system");
    libvirt::LibvirtBackup backup(connection);
    libvirt::LibvirtInventory inventory(connection);
    nbd::NbdSources sources;
    ReplicaFolder folder(replicas);
    const SystemClock clock;
    Replicator replicator(backup, sources, folder, clock);

    const std::vector<model::VmFacts> vms = TRY(inventory.list_vms());
    const auto vm = std::ranges::find(vms, name, &model::VmFacts::name);
    if (vm == vms.end()) return fail(ErrorCode::kNotFound, "there is no VM " + name);
    TRY(replicator.forget_checkpoints(vm->vm));
    const GenerationPlan plan = TRY(replicator.plan(GroupId(name), vm->vm, vm->disks));
    const BackupJob job = TRY(backup.begin_backup(plan.backup_request(scratch / "backup.sock", scratch)));
    const double before = cpu_seconds(RUSAGE_SELF);
    const Instant begun = BootClock::now();
    const auto made = replicator.copy(plan, job, model::Consistency::kCrash, {}, {});
    const double cpu = cpu_seconds(RUSAGE_SELF) - before;
    const double seconds = std::chrono::duration<double>(BootClock::now() - begun).count();
    std::string volumes;
    if (made.has_value()) {
        for (const VolumeManifest& volume : made->volumes) {
            const Peer peer = ask_peers(job, volume.disk, folder.layer(vm->vm, made->generation, volume.disk), scratch);
            volumes += fmt::format(
                R"({}{{"disk": "{}", "bytes_read": {}, "bytes_sent": {}, "bytes_zeroed": {}, "root": "{}", "layers": {}, )"
                R"("independent_compare_same": {}, "nbdcopy_cpu_s": {:.3f}, "nbdcopy_bytes": {}}})",
                volumes.empty() ? "" : ", ", volume.disk, volume.read.count(), volume.sent.count(),
                volume.zeroed.count(), volume.root.hex(), volume.layers, peer.same, peer.nbdcopy_cpu_s,
                peer.nbdcopy_bytes);
        }
    }
    TRY(backup.end_backup(vm->vm, job.socket));
    const ReplicaManifest manifest = TRY(made);
    TRY(replicator.forget_checkpoints(vm->vm));
    fmt::print(R"({{"gen": {}, "kind": "{}", "reason": "{}", "cpu_s": {:.3f}, "seconds": {:.2f}, "volumes": [{}]}})"
               "\n",
               manifest.generation, model::to_string(manifest.kind), manifest.kind_reason, cpu, seconds, volumes);
    return {};
}

}  // namespace
}  // namespace penumbra::hypervisor

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: replicate_vm VM REPLICAS SCRATCH\n");
        return 2;
    }
    const auto made = penumbra::hypervisor::make_generation(argv[1], argv[2], argv[3]);
    if (made.has_value()) return 0;
    fmt::print(stderr, "replicate_vm: {}\n", made.error().describe());
    return 1;
}
