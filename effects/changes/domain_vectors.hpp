#pragma once

#include <string>

#include "base/result.hpp"
#include "hypervisor/ports.hpp"
#include "journal/entry.hpp"

namespace penumbra::effects {

/// The name that an iotune vector's group has among its values.
inline constexpr const char* kGroupName = "group_name";

/// libvirt's vectors as journaled values and back. In an iotune vector a missing limit and a limit of 0 are the same
/// ("no limit"), so zeros are left out. Pure.
[[nodiscard]] journal::Values values_of(const hypervisor::SchedulerVector& vector);
[[nodiscard]] Result<hypervisor::SchedulerVector> scheduler_of(const journal::Values& values);
[[nodiscard]] journal::Values values_of(const hypervisor::IoTuneVector& vector);
[[nodiscard]] Result<hypervisor::IoTuneVector> iotune_of(const journal::Values& values);

/// Both layers of a domain as they stand now, fingerprint included: what D18 hashes.
[[nodiscard]] Result<std::string> domain_fingerprint(hypervisor::DomainTuning& tuning, const std::string& domain);

}  // namespace penumbra::effects
