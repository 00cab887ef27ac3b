// A full and an incremental generation of a qcow2 disk offered by qemu-nbd, in bytes and CPU seconds, beside nbdcopy
// (package libnbd-bin) on the same export. Without nbdcopy the peer's value is left out.
// usage: replicate_bench [MEBIBYTES]

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "hypervisor/fake/fake_hypervisor.hpp"
#include "hypervisor/nbd/nbd_source.hpp"
#include "hypervisor/replica_folder.hpp"
#include "hypervisor/replicator.hpp"
#include "tests/bench/analysis/figure.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::run_tool;

struct Cost {
    double bytes = 0;
    double cpu_s = 0;
};

double child_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Bench {
 public:
    explicit Bench(std::uint64_t mebibytes) {
        std::filesystem::create_directory(root_);
        ASSERT(run_tool({"qemu-img", "create", "-q", "-f", "qcow2", image_, fmt::format("{}M", mebibytes * 4)}) == 0);
        guest(fmt::format("write -q -P 90 1M {}M", mebibytes));
    }
    void guest(const std::string& command) const {
        ASSERT(run_tool({"qemu-io", "-f", "qcow2", "-d", "unmap", "-c", command, image_}) == 0);
    }
    /// One generation, then nbdcopy of the same export.
    Cost make_generation(std::optional<Cost>& peer) {
        const ReplicaState state = *folder_.state(vm_);
        GenerationPlan plan{.group = GroupId("bench"), .vm = vm_, .generation = state.next_generation};
        plan.checkpoint = CheckpointId(fmt::format("cp{}", plan.generation));
        DiskBasis basis{.disk = "vda"};
        if (const ReplicaManifest* newest = state.newest()) {
            plan.base = *newest;
            plan.base_tables.emplace("vda", *folder_.table(*newest, "vda"));
            basis.since = newest->checkpoint;
        }
        plan.decision.disks = {basis};
        ASSERT(run_tool({"qemu-img", "bitmap", "--add", image_, plan.checkpoint.text()}) == 0);
        std::vector<std::string> command{"qemu-nbd", "-r", "-t", "-e", "16", "-x", "vda", "-k", socket_, "-f", "qcow2"};
        if (!basis.since.empty()) command.insert(command.end(), {"-B", basis.since.text()});
        command.push_back(image_);
        testing::ChildProcess server(command);
        ASSERT(testing::listens(socket_, server));
        const BackupJob job{.vm = vm_,
                            .checkpoint = {.name = plan.checkpoint, .created_s = 1},
                            .socket = socket_,
                            .exports = {{.disk = "vda", .name = "vda", .bitmap = basis.since.text()}}};
        const double before = bench::cpu_seconds();
        const auto made =
            Replicator(unused_, sources_, folder_, clock_).copy(plan, job, model::Consistency::kCrash, {}, {});
        const double cpu = bench::cpu_seconds() - before;
        ASSERT(made.has_value());
        const VolumeManifest& volume = made->volumes.front();
        peer = nbdcopy();
        return {.bytes = static_cast<double>(volume.sent.count()), .cpu_s = cpu};
    }

 private:
    [[nodiscard]] std::optional<Cost> nbdcopy() const {
        const std::string copied = directory_.path() / "nbdcopy.raw";
        const double before = child_cpu_seconds();
        const int status = run_tool({"nbdcopy", fmt::format("nbd+unix:///vda?socket={}", socket_), copied});
        const double cpu = child_cpu_seconds() - before;
        struct stat facts{};
        if (status != 0 || ::stat(copied.c_str(), &facts) != 0) return std::nullopt;
        std::filesystem::remove(copied);
        return Cost{.bytes = static_cast<double>(facts.st_blocks) * 512, .cpu_s = cpu};
    }

    testing::TemporaryDirectory directory_;
    std::string image_ = directory_.path() / "disk.qcow2";
    std::string socket_ = directory_.path() / "nbd.sock";
    std::filesystem::path root_ = directory_.path() / "replicas";
    VmId vm_{"11111111-1111-4111-8111-111111111111"};
    ReplicaFolder folder_{root_};
    nbd::NbdSources sources_;
    fake::FakeHypervisor unused_;  // copy() needs no checkpoints
    SystemClock clock_;
};

void report(const std::string& group, const Cost& own, const std::optional<Cost>& peer) {
    const auto figure = [&](std::string_view name, std::string_view unit, double Cost::* value) {
        bench::print({.name = name,
                      .group = group,
                      .value = own.*value,
                      .unit = unit,
                      .peer = "nbdcopy",
                      .peer_value = peer ? std::optional((*peer).*value) : std::nullopt});
    };
    figure("replica_bytes", "B", &Cost::bytes);
    figure("replica_cpu_s", "s", &Cost::cpu_s);
}

}  // namespace
}  // namespace penumbra::hypervisor

int main(int argc, char** argv) {
    const std::uint64_t mebibytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 512;
    if (mebibytes < 64) {
        fmt::print(stderr, "usage: replicate_bench [MEBIBYTES]   (at least 64)\n");
        return 2;
    }
    penumbra::hypervisor::Bench bench(mebibytes);
    for (const char* group : {"full", "incremental"}) {
        std::optional<penumbra::hypervisor::Cost> peer;
        const auto own = bench.make_generation(peer);
        penumbra::hypervisor::report(group, own, peer);
        bench.guest("write -q -P 7 8M 16M");
    }
    return 0;
}
