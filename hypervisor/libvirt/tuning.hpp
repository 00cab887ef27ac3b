#pragma once

#include <string>

#include "hypervisor/libvirt/connection.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor::libvirt {

/// DomainTuning over libvirt: virDomainSetBlockIoTune(3), virDomainSetSchedulerParametersFlags(3). Always writes
/// complete vectors, since libvirt resets what a call leaves out of a category. Thread-safe; `connection` outlives it.
class LibvirtTuning final : public DomainTuning {
 public:
    explicit LibvirtTuning(Connection& connection) : connection_(connection) {}

    [[nodiscard]] Result<DomainConfiguration> configuration(const VmId& vm) override;
    [[nodiscard]] Result<IoTuneVector> iotune(const VmId& vm, const std::string& disk, Layer layer) override;
    [[nodiscard]] Result<void> set_iotune(const VmId& vm, const std::string& disk, const IoTuneVector& vector,
                                          Layer layer) override;
    [[nodiscard]] Result<SchedulerVector> scheduler(const VmId& vm, Layer layer) override;
    [[nodiscard]] Result<void> set_scheduler(const VmId& vm, const SchedulerVector& vector, Layer layer) override;

 private:
    Connection& connection_;
};

}  // namespace penumbra::hypervisor::libvirt
