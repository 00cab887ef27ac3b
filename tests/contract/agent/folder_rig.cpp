#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include "agent/arm_folder.hpp"
#include "tests/contract/agent/rig.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::agent::contract {
namespace {

constexpr const char* kSize = "size=64m";

class FolderRig final : public ArmStorageRig {
 public:
    explicit FolderRig(std::string& why) {
        // In a mount namespace of this process: nobody else sees it, and it goes with the process.
        mounted_ = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                   ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, kSize) == 0;
        if (!mounted_) {
            why = fmt::format("a file system of its own: {}", std::generic_category().message(errno));
            return;
        }
        std::filesystem::create_directory(folder_.path() / "replicas");
        std::filesystem::create_directory(folder_.path() / "arms");
    }
    FolderRig(const FolderRig&) = delete;
    FolderRig& operator=(const FolderRig&) = delete;
    FolderRig(FolderRig&&) = delete;
    FolderRig& operator=(FolderRig&&) = delete;
    ~FolderRig() override {
        if (!mounted_) return;
        EXPECT_EQ(::umount(folder_.path().c_str()), 0);
    }
    [[nodiscard]] bool mounted() const { return mounted_; }

    ArmStorage& storage() override { return arms_; }
    void commit(const VmId& vm, std::uint64_t generation) override {
        auto staged = replicas_.stage(vm, generation);
        ASSERT(staged.has_value());
        const auto volume = (*staged)->add_volume({.disk = "vda", .virtual_size = kVolume});
        ASSERT(volume.has_value() && (*volume)->seal().has_value());
        const hypervisor::ReplicaManifest manifest{.group = GroupId("shop"),
                                                   .vm = vm,
                                                   .generation = generation,
                                                   .checkpoint = CheckpointId("c1"),
                                                   .volumes = {{.disk = "vda", .virtual_size = kVolume}}};
        EXPECT_TRUE(testing::is_ok((*staged)->commit(manifest, {{"vda", hypervisor::BlockTable(kVolume.count())}})));
    }
    void grow(const std::string& owner, Bytes written) override {
        std::ofstream overlay(folder_.path() / "arms" / owner / "vda.qcow2", std::ios::app | std::ios::binary);
        overlay << std::string(written.count(), 'x') << std::flush;
        ASSERT(overlay.good());
    }

 private:
    static constexpr Bytes kVolume{1ULL << 30U};

    testing::TemporaryDirectory folder_;
    bool mounted_ = false;
    hypervisor::ReplicaFolder replicas_{folder_.path() / "replicas"};
    ArmFolder arms_{folder_.path() / "arms", replicas_};
};

}  // namespace

std::unique_ptr<ArmStorageRig> make_rig(std::string& why) {
    auto rig = std::make_unique<FolderRig>(why);
    if (!rig->mounted()) return nullptr;
    return rig;
}

}  // namespace penumbra::agent::contract
