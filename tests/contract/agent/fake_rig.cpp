#include "agent/fake/fake_arm_storage.hpp"
#include "tests/contract/agent/rig.hpp"

namespace penumbra::agent::contract {
namespace {

class FakeRig final : public ArmStorageRig {
 public:
    ArmStorage& storage() override { return storage_; }
    void commit(const VmId& vm, std::uint64_t generation) override { storage_.commit(vm, generation); }
    void grow(const std::string& owner, Bytes written) override { storage_.grow(owner, written); }

 private:
    fake::FakeArmStorage storage_;
};

}  // namespace

std::unique_ptr<ArmStorageRig> make_rig(std::string&) {
    return std::make_unique<FakeRig>();
}

}  // namespace penumbra::agent::contract
