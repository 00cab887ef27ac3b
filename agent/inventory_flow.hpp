#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "agent/news.hpp"
#include "base/result.hpp"
#include "hypervisor/ports.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::agent {

/// What stands on this host, told again and again. Thread-bound; blocks.
class InventoryFlow {
 public:
    /// `seen` is called with the VMs of every look, from this lane.
    using Seen = std::function<void(const std::vector<model::VmFacts>&)>;
    InventoryFlow(hypervisor::VmInventory& inventory, Seen seen, Tell tell)
        : inventory_(inventory), seen_(std::move(seen)), tell_(std::move(tell)) {}

    void set_policy(const model::Policy& policy) { policy_ = policy; }
    /// Every limits::kInventoryInterval, and when the policy has changed. What cannot be seen is a trouble; the last
    /// facts stay.
    void observe();

 private:
    [[nodiscard]] Result<model::HostFacts> look();

    hypervisor::VmInventory& inventory_;
    Seen seen_;
    Tell tell_;
    model::Policy policy_;
};

/// The VM a group stands for: a VM is its own group of one, by name or UUID. kNotFound.
[[nodiscard]] Result<model::VmFacts> find_vm(const std::vector<model::VmFacts>& vms, std::string_view group);

}  // namespace penumbra::agent
