#include "base/durable_file.hpp"
#include "hypervisor/replica_folder.hpp"
#include "tests/contract/hypervisor/replica_target_rig.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor::contract {
namespace {

class FolderRig final : public ReplicaTargetRig {
 public:
    ReplicaTarget& target() override { return folder_; }

    /// As QEMU reads it.
    std::vector<std::byte> content(const VmId& vm, std::uint64_t generation, const std::string& disk) override {
        const std::string layer = folder_.layer(vm, generation, disk);
        const std::string raw = directory_.path() / "content.raw";
        ASSERT(testing::run_tool({"qemu-img", "check", "-q", "-f", "qcow2", layer}) == 0);
        ASSERT(testing::run_tool({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", layer, raw}) == 0);
        const auto text = read_file(raw, 64U << 20U);
        ASSERT(text.has_value());
        const auto bytes = std::as_bytes(std::span(*text));
        return {bytes.begin(), bytes.end()};
    }

 private:
    testing::TemporaryDirectory directory_;
    ReplicaFolder folder_{directory_.path()};
};

}  // namespace

std::unique_ptr<ReplicaTargetRig> make_replica_target_rig() {
    return std::make_unique<FolderRig>();
}

}  // namespace penumbra::hypervisor::contract
