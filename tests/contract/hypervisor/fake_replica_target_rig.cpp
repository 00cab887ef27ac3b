#include "hypervisor/fake/fake_replica_target.hpp"
#include "tests/contract/hypervisor/replica_target_rig.hpp"

namespace penumbra::hypervisor::contract {
namespace {

class FakeTargetRig final : public ReplicaTargetRig {
 public:
    ReplicaTarget& target() override { return target_; }
    std::vector<std::byte> content(const VmId& vm, std::uint64_t generation, const std::string& disk) override {
        return target_.content(vm, generation, disk);
    }

 private:
    fake::FakeReplicaTarget target_;
};

}  // namespace

std::unique_ptr<ReplicaTargetRig> make_replica_target_rig() {
    return std::make_unique<FakeTargetRig>();
}

}  // namespace penumbra::hypervisor::contract
