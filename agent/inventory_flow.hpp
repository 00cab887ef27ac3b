#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/host_checks.hpp"
#include "agent/news.hpp"
#include "base/result.hpp"
#include "hypervisor/ports.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::agent {

/// What stands on this host and what is wrong with it, told again and again. Thread-bound; blocks.
class InventoryFlow {
 public:
    struct Parts {
        hypervisor::VmInventory& inventory;      ///< borrowed
        std::function<HostSight()> look_around;  ///< at the host beside its VMs
        std::set<std::string> served;            ///< VMs whose services are known, by name or UUID
        std::function<void(const std::vector<model::VmFacts>&)> seen;  ///< gets the VMs of every look, on this lane
        Tell tell;
    };
    explicit InventoryFlow(Parts parts) : parts_(std::move(parts)) {}

    void set_policy(const model::Policy& policy) { policy_ = policy; }
    /// Every limits::kInventoryInterval, and when the policy has changed. What cannot be seen is a trouble, as are the
    /// errors of checks_of(); the last facts stay.
    void observe();

 private:
    [[nodiscard]] Result<model::HostFacts> look();

    Parts parts_;
    model::Policy policy_;
};

/// The VM a group stands for: a VM is its own group of one, by name or UUID. kNotFound.
[[nodiscard]] Result<model::VmFacts> find_vm(const std::vector<model::VmFacts>& vms, std::string_view group);

}  // namespace penumbra::agent
