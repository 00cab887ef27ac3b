#include "coordinator/store/memory_store.hpp"
#include "tests/contract/store/rig.hpp"

namespace penumbra::coordinator::contract {
namespace {

class MemoryRig final : public Rig {
 public:
    std::unique_ptr<Store> store() override { return std::make_unique<MemoryStore>(disk_); }
    void fill_disk() override { disk_->full = true; }
    void clear_disk() override { disk_->full = false; }

 private:
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

}  // namespace

std::unique_ptr<Rig> make_rig() {
    return std::make_unique<MemoryRig>();
}

}  // namespace penumbra::coordinator::contract
