#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/durable_file.hpp"
#include "hypervisor/fake/fake_hypervisor.hpp"
#include "hypervisor/nbd/nbd_source.hpp"
#include "hypervisor/qcow2_layer.hpp"
#include "hypervisor/replica_folder.hpp"
#include "hypervisor/replicator.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

// The replicator on the real thing: a qcow2 disk offered by qemu-nbd, replicas in a folder, qemu-img as the eye that
// owes us nothing; and the real folder under a process that dies at every step.
namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;
using testing::run_tool;

constexpr std::uint64_t kMiB = 1ULL << 20U;

class Replication : public ::testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(std::filesystem::create_directory(root_));
        qemu_img({"create", "-q", "-f", "qcow2", image_, "16M"});
    }
    static void qemu_img(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "qemu-img");
        ASSERT_EQ(run_tool(arguments), 0);
    }
    void guest(const std::vector<std::string>& commands) const {
        std::vector<std::string> arguments{"qemu-io", "-f", "qcow2", "-d", "unmap"};
        for (const std::string& command : commands)
            arguments.insert(arguments.end(), {"-c", command});
        arguments.push_back(image_);
        ASSERT_EQ(run_tool(arguments), 0);
    }
    /// As decide_chain() would have it with intact bitmaps.
    GenerationPlan plan_next() {
        const auto state = folder_.state(vm_);
        EXPECT_TRUE(is_ok(state));
        GenerationPlan plan{.group = GroupId("shop"), .vm = vm_, .generation = state->next_generation};
        plan.checkpoint = CheckpointId(fmt::format("cp{}", plan.generation));
        DiskBasis basis{.disk = "vda"};
        if (const ReplicaManifest* newest = state->newest()) {
            plan.base = *newest;
            plan.base_tables.emplace("vda", *folder_.table(*newest, "vda"));
            basis.since = newest->checkpoint;
            plan.decision.kind = model::GenerationKind::kIncremental;
        }
        plan.decision.disks = {basis};
        return plan;
    }
    /// The cut: a new bitmap, and the disk offered as it is now with the one before.
    Result<ReplicaManifest> make_generation() {
        const GenerationPlan plan = plan_next();
        const CheckpointId& since = plan.decision.disks.front().since;
        qemu_img({"bitmap", "--add", image_, plan.checkpoint.text()});
        std::vector<std::string> command{"qemu-nbd", "-r", "-t", "-e", "16", "-x", "vda", "-k", socket_, "-f", "qcow2"};
        if (!since.empty()) command.insert(command.end(), {"-B", since.text()});
        command.push_back(image_);
        testing::ChildProcess server(command);
        if (!testing::listens(socket_, server)) return fail(ErrorCode::kInternal, "qemu-nbd did not start");
        const BackupJob job{.vm = vm_,
                            .checkpoint = {.name = plan.checkpoint, .created_s = 1},
                            .socket = socket_,
                            .exports = {{.disk = "vda", .name = "vda", .bitmap = since.text()}}};
        auto made = Replicator(unused_, sources_, folder_, clock_).copy(plan, job, model::Consistency::kCrash, {}, {});
        server.kill();
        return made;
    }
    void expect_same_as_source(std::uint64_t generation) {
        const std::string layer = folder_.layer(vm_, generation, "vda");
        EXPECT_EQ(run_tool({"qemu-img", "check", "-q", "-f", "qcow2", layer}), 0);
        EXPECT_EQ(run_tool({"qemu-img", "compare", "-q", "-f", "qcow2", "-F", "qcow2", image_, layer}), 0)
            << "generation " << generation;
        const auto reader = LayerReader::open(layer);
        ASSERT_TRUE(is_ok(reader));
        EXPECT_EQ(reader->header().size, folder_.state(vm_)->newest()->volumes[0].virtual_size.count());
    }

    testing::TemporaryDirectory directory_;
    std::string image_ = directory_.path() / "production.qcow2";
    std::string socket_ = directory_.path() / "nbd.sock";
    std::filesystem::path root_ = directory_.path() / "replicas";
    VmId vm_{"11111111-1111-4111-8111-111111111111"};
    ReplicaFolder folder_{root_};
    nbd::NbdSources sources_;
    fake::FakeHypervisor unused_;  // copy() needs no checkpoints
    SystemClock clock_;
};

TEST_F(Replication, EveryGenerationReadsAsTheSourceDidAtItsCut) {
    guest({"write -q -P 90 1M 3M", "write -q -P 91 9000000 70000", "write -q -P 92 16776704 512"});
    const auto first = make_generation();
    ASSERT_TRUE(is_ok(first));
    EXPECT_LT(first->volumes[0].sent, Bytes(4 * kMiB));
    expect_same_as_source(1);
    guest({"write -q -P 7 1050000 10", "write -q -z -u 2M 512k", "write -q -P 0 3M 128k", "discard -q 9M 64k"});
    const auto second = make_generation();
    ASSERT_TRUE(is_ok(second));
    EXPECT_LE(second->volumes[0].sent, Bytes(2 * limits::kBlockBytes));
    EXPECT_GE(second->volumes[0].zeroed, Bytes(640 * 1024));
    EXPECT_EQ(second->volumes[0].layers, 2U);
    expect_same_as_source(2);
    const auto third = make_generation();  // nothing changed
    ASSERT_TRUE(is_ok(third));
    EXPECT_EQ(third->volumes[0].read, Bytes(0));
    EXPECT_EQ(third->volumes[0].root, second->volumes[0].root);
    expect_same_as_source(3);
}

TEST_F(Replication, ADiskThatGrowsOrIsCutInABlockStaysRight) {
    guest({"write -q -P 90 0 16M"});
    ASSERT_TRUE(is_ok(make_generation()));
    qemu_img({"resize", "-q", "--shrink", image_, "8389120"});  // 8 MiB and a sector
    ASSERT_TRUE(is_ok(make_generation()));
    expect_same_as_source(2);
    qemu_img({"resize", "-q", image_, "20M"});
    guest({"write -q -P 3 19M 64k"});
    ASSERT_TRUE(is_ok(make_generation()));
    expect_same_as_source(3);
}

TEST_F(Replication, AMissingOrForeignFileMakesAGenerationUnusableAndSaysSo) {
    guest({"write -q -P 90 0 1M"});
    ASSERT_TRUE(is_ok(make_generation()));
    ASSERT_TRUE(is_ok(make_generation()));
    const std::filesystem::path first = root_ / vm_.text() / "1";
    std::filesystem::rename(first / "vda.qcow2", first / "elsewhere");
    auto state = folder_.state(vm_);
    ASSERT_TRUE(is_ok(state));
    EXPECT_TRUE(state->generations.empty());
    EXPECT_EQ(state->next_generation, 3U);
    ASSERT_EQ(state->troubles.size(), 2U);
    EXPECT_NE(state->troubles[1].find("lies on generation 1"), std::string::npos);
    std::filesystem::rename(first / "elsewhere", first / "vda.qcow2");
    std::filesystem::permissions(first / "vda.blocks", std::filesystem::perms::owner_all);
    ASSERT_TRUE(is_ok(write_file_durably(first / "vda.blocks", "nonsense")));
    state = folder_.state(vm_);
    ASSERT_EQ(state->generations.size(), 2U);
    EXPECT_TRUE(fails(folder_.table(state->generations[0], "vda"), ErrorCode::kDataLoss, "vda.blocks"));
}

TEST_F(Replication, WhoeverRunsGuestsCanReadTheLayersByTheirGroupWhateverTheUmask) {
    const mode_t before = ::umask(0077);
    const auto made = make_generation();
    ::umask(before);
    ASSERT_TRUE(is_ok(made));
    using std::filesystem::perms;
    const std::filesystem::path folder = root_ / vm_.text() / "1";
    EXPECT_EQ(std::filesystem::status(folder / "vda.qcow2").permissions(), perms(0440));
    EXPECT_EQ(std::filesystem::status(folder / "manifest").permissions(), perms(0440));
    EXPECT_EQ(std::filesystem::status(folder).permissions(), perms(02750));
    EXPECT_EQ(std::filesystem::status(folder.parent_path()).permissions(), perms(02750));
}

constexpr int kDied = 42;

/// A child makes the next generation and dies before its `step`-th step; true when it had none so late.
bool make_in_child(const std::filesystem::path& root, std::uint64_t step, fake::FakeHypervisor& hypervisor,
                   const VmId& vm) {
    const pid_t child = ::fork();
    ASSERT(child >= 0);
    if (child == 0) {
        ReplicaFolder folder(root, [left = step](std::string_view) mutable {
            if (--left == 0) ::_exit(kDied);
        });
        const SystemClock clock;
        Replicator replicator(hypervisor, hypervisor, folder, clock);
        const auto facts = hypervisor.list_vms();
        const auto plan = replicator.plan(GroupId("shop"), vm, facts->front().disks);
        const auto job = hypervisor.begin_backup(plan->backup_request("/run/x", "/run"));
        ::_exit(replicator.copy(*plan, *job, model::Consistency::kCrash, {}, {}).has_value() ? 0 : 1);
    }
    int status = 0;
    ASSERT(::waitpid(child, &status, 0) == child && WIFEXITED(status));
    EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kDied);
    return WEXITSTATUS(status) == 0;
}

TEST_F(Replication, AProcessThatDiesAtAnyStepLeavesTheOldOrTheNewGeneration) {
    fake::FakeHypervisor hypervisor;
    fake::FakeVm vm{.vm = vm_, .name = "t1"};
    vm.disks.push_back(fake::blank_disk("vda", kMiB));
    hypervisor.add_vm(std::move(vm));
    ASSERT_TRUE(make_in_child(root_, UINT64_MAX, hypervisor, vm_));
    // The child's checkpoints die with it, so that each generation is a full one of the disk as it is then.
    std::uint64_t newest = 1;
    std::vector<std::byte> at_newest = hypervisor.disk_content(vm_, "vda");
    bool finished = false;
    std::uint64_t news = 0;
    std::uint64_t step = 1;
    for (; !finished; ++step) {
        ASSERT_TRUE(is_ok(hypervisor.guest_write(vm_, "vda", 70'000, std::vector(200'000, std::byte(step)))));
        finished = make_in_child(root_, step, hypervisor, vm_);
        const auto state = folder_.state(vm_);
        ASSERT_TRUE(is_ok(state));
        EXPECT_TRUE(state->troubles.empty()) << state->troubles.front();
        const std::uint64_t now = state->newest()->generation;
        ASSERT_TRUE(now == newest || now == newest + 1) << "step " << step;
        news += now != newest && !finished ? 1 : 0;
        if (now != newest) at_newest = hypervisor.disk_content(vm_, "vda");
        newest = now;
        const std::string raw = directory_.path() / "raw";
        qemu_img({"convert", "-f", "qcow2", "-O", "raw", folder_.layer(vm_, newest, "vda"), raw});
        const auto content = read_file(raw, 2 * kMiB);
        ASSERT_TRUE(is_ok(content));
        ASSERT_TRUE(std::ranges::equal(std::as_bytes(std::span(*content)), at_newest)) << "step " << step;
    }
    EXPECT_GE(step, 10U);
    EXPECT_EQ(news, 1U);
    EXPECT_FALSE(std::filesystem::exists(root_ / vm_.text() / "staging"));
}

}  // namespace
}  // namespace penumbra::hypervisor
