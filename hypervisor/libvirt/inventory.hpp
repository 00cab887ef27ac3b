#pragma once

#include <string>
#include <vector>

#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::libvirt {

/// VmInventory over libvirt. Reads only; no call of it changes a domain. Thread-safe; `connection` outlives it.
class LibvirtInventory final : public VmInventory {
 public:
    explicit LibvirtInventory(Connection& connection) : connection_(connection) {}

    [[nodiscard]] Result<model::HostFacts> describe_host() override;
    [[nodiscard]] Result<std::vector<model::VmFacts>> list_vms() override;
    [[nodiscard]] Result<std::string> domain_xml(const VmId& vm, Layer layer) override;
    [[nodiscard]] Result<std::vector<VmCounters>> counters() override;
    [[nodiscard]] Result<DiskCounters> disk_counters(const VmId& vm) override;

 private:
    Connection& connection_;
};

}  // namespace penumbra::hypervisor::libvirt
